package chat_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

func (b bundle) mark(t *testing.T, reader consultation.Participant, seq int64) chat.ReadMark {
	t.Helper()
	mark, err := b.MarkRead(t.Context(), chat.ReadParams{ConsultationID: room, Reader: reader.UserID, Seq: seq})
	require.NoError(t, err)
	return mark
}

func TestMarkRead(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	b.say(t, patient, "hello")
	mark := b.mark(t, student, 3)
	require.EqualValues(t, 3, mark.Seq)
	require.Equal(t, []string{"MarkRead"}, b.counted.calls)
	events := b.to.take()
	require.Len(t, events, 1)
	require.Equal(t, "messages-read", events[0].Name)
	require.Equal(t, consultation.Channel(room, 1), events[0].Channel)
	require.Equal(t, `{"consultationId":"room","userId":"student-1","seq":3,"at":"`+consultation.FormatTime(mark.At)+`"}`, string(events[0].Data))

	require.Equal(t, mark, b.mark(t, student, 2))
	require.Equal(t, mark, b.mark(t, student, 1000), "the mark is at the newest change already")
	require.Empty(t, b.to.take(), "a mark that has not moved is told to nobody")
	require.EqualValues(t, 3, b.rev(t), "marks raise no rev")
	_, err := b.MarkRead(t.Context(), chat.ReadParams{ConsultationID: room, Reader: stranger.UserID, Seq: 3})
	require.ErrorIs(t, err, consultation.ErrNotFound)
}

func TestPrivateReceipts(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{ReadReceipts: chat.ReceiptsPrivate})
	b.say(t, patient, "hello")
	mark := b.mark(t, student, 3)
	require.EqualValues(t, 3, mark.Seq)
	require.Empty(t, b.to.take(), "nobody is told")
	for viewer, want := range map[consultation.UserID]map[consultation.UserID]chat.ReadMark{
		student.UserID: {student.UserID: mark},
		patient.UserID: {},
	} {
		page, err := b.History(t.Context(), chat.HistoryParams{ConsultationID: room, Viewer: viewer})
		require.NoError(t, err)
		require.Equal(t, want, page.Reads)
		changes, err := b.Changes(t.Context(), chat.ChangesParams{ConsultationID: room, Viewer: viewer})
		require.NoError(t, err)
		require.Equal(t, want, changes.Reads)
	}
	inbox, err := b.Inbox(t.Context(), student, chat.InboxParams{})
	require.NoError(t, err)
	require.Zero(t, inbox.Items[0].Unread, "unread counts still work")
}

func TestSharedReceipts(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	mark := b.mark(t, student, 2)
	page, err := b.History(t.Context(), chat.HistoryParams{ConsultationID: room, Viewer: patient.UserID})
	require.NoError(t, err)
	require.Equal(t, map[consultation.UserID]chat.ReadMark{student.UserID: mark}, page.Reads)
}

// down is a store that does not answer.
type down struct{ chat.Storage }

var errDown = errors.New("the database is down")

func (down) Append(context.Context, chat.AppendParams) (chat.Appended, error) {
	return chat.Appended{Message: chat.Message{ID: "x"}}, errDown
}
func (down) History(context.Context, chat.HistoryParams) (chat.Page, error) {
	return chat.Page{HasMore: true}, errDown
}
func (down) Changes(context.Context, chat.ChangesParams) (chat.Changes, error) {
	return chat.Changes{Reset: true}, errDown
}
func (down) Inbox(context.Context, chat.InboxParams) (chat.InboxPage, error) {
	return chat.InboxPage{HasMore: true}, errDown
}
func (down) MarkRead(context.Context, chat.ReadParams) (chat.Marked, error) {
	return chat.Marked{Moved: true}, errDown
}
func (down) Edit(context.Context, chat.EditParams) (chat.Changed, error) {
	return chat.Changed{Message: chat.Message{ID: "x"}}, errDown
}
func (down) Delete(context.Context, chat.DeleteParams) (chat.Changed, error) {
	return chat.Changed{Message: chat.Message{ID: "x"}}, errDown
}

// An error of the store comes through, and nothing is told or returned beside it.
func TestStoreThatIsDown(t *testing.T) {
	t.Parallel()
	to := &relay{}
	s, err := chat.NewService(down{}, to, nil)
	require.NoError(t, err)
	ctx := t.Context()
	check := func(got any, err error) {
		t.Helper()
		require.ErrorIs(t, err, errDown)
		require.Zero(t, got)
	}
	change := chat.OwnMessageParams{ID: "m", By: patient.UserID}
	sent, err := s.Send(ctx, text(patient, "hello"))
	check(sent, err)
	sent, err = s.SendTx(ctx, down{}, text(patient, "hello"))
	check(sent, err)
	page, err := s.History(ctx, chat.HistoryParams{ConsultationID: room, Viewer: patient.UserID})
	check(page, err)
	changes, err := s.Changes(ctx, chat.ChangesParams{ConsultationID: room, Viewer: patient.UserID})
	check(changes, err)
	inbox, err := s.Inbox(ctx, patient, chat.InboxParams{})
	check(inbox, err)
	mark, err := s.MarkRead(ctx, chat.ReadParams{ConsultationID: room, Reader: patient.UserID})
	check(mark, err)
	m, err := s.Edit(ctx, change, "x")
	check(m, err)
	m, err = s.Delete(ctx, change)
	check(m, err)
	require.Empty(t, to.take())
}
