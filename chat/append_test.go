package chat_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

func at(s consultation.Status) consultation.Consultation {
	return consultation.Consultation{ID: room, Status: s, Patient: patient, Student: &student, Rev: 7}
}

var statuses = []consultation.Status{
	consultation.StatusRequested, consultation.StatusInProgress, consultation.StatusCompleted, consultation.StatusCancelled,
}

func TestAppendApply(t *testing.T) {
	t.Parallel()
	p := chat.AppendParams{ID: "new", ConsultationID: room, Content: "hello", ClientMessageID: "key-1"}
	prior := example()
	prior.EditedAt = &then
	for _, s := range statuses {
		p.SenderID = stranger.UserID
		for _, m := range []*chat.Message{nil, &prior} {
			_, err := p.Apply(at(s), m, then)
			require.ErrorIs(t, err, consultation.ErrNotParticipant, "%s: before anything else", s)
		}
		for _, sender := range []consultation.Participant{patient, student} {
			p.SenderID = sender.UserID
			done, err := p.Apply(at(s), &prior, then)
			require.NoError(t, err)
			require.Equal(t, chat.Appended{Message: prior, Replayed: true}, done)

			done, err = p.Apply(at(s), nil, then)
			if s != consultation.StatusInProgress {
				var notActive *consultation.NotActiveError
				require.ErrorAs(t, err, &notActive)
				require.Equal(t, s, notActive.Status)
				require.Zero(t, done)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, chat.Appended{Audience: consultation.Audience{Number: 1, UserIDs: "patient-1 student-1"}, Message: chat.Message{
				ID: "new", ConsultationID: room, SenderID: sender.UserID, Content: "hello", CreatedAt: then, Sender: sender,
				Seq: 8, Rev: 8, ClientMessageID: "key-1",
			}}, done)
		}
	}
}

func TestAppendApplyComparesTheContent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(prior *chat.Message)
		want   error
	}{
		"same":                 {func(*chat.Message) {}, nil},
		"other":                {func(m *chat.Message) { m.Content = "other" }, consultation.ErrKeyReused},
		"edited since":         {func(m *chat.Message) { m.Content, m.EditedAt = "other", &then }, nil},
		"deleted since":        {func(m *chat.Message) { m.Content, m.DeletedAt = "", &then }, nil},
		"differs only in case": {func(m *chat.Message) { m.Content = "Hello" }, consultation.ErrKeyReused},
	} {
		for _, s := range statuses {
			prior := example()
			prior.Content = "hello"
			c.change(&prior)
			p := chat.AppendParams{ID: "new", ConsultationID: room, SenderID: patient.UserID, Content: "hello", ClientMessageID: "key-1"}
			done, err := p.Apply(at(s), &prior, then)
			require.ErrorIs(t, err, c.want, "%s %s", name, s)
			if c.want == nil {
				require.Equal(t, chat.Appended{Message: prior, Replayed: true}, done, name)
			} else {
				require.ErrorIs(t, err, consultation.ErrConflict)
				require.Zero(t, done, name)
			}
		}
	}
}

// The rules for edits and deletions are the same but for the second: they are tried on each combination of what can be
// wrong, and the first that is wrong has to be the answer.
func TestChangeApply(t *testing.T) {
	t.Parallel()
	now := then.Add(time.Hour)
	flags := []bool{false, true}
	for _, s := range statuses {
		for _, by := range []consultation.UserID{patient.UserID, student.UserID, stranger.UserID} {
			for _, deleted := range flags {
				for _, same := range flags {
					for _, stale := range flags {
						for _, late := range flags {
							m := example()
							if deleted {
								m.Content, m.DeletedAt = "", &then
							}
							edit := chat.EditParams{ID: m.ID, By: by, Content: "new", IfRev: m.Rev, Window: time.Hour}
							if same {
								edit.Content = m.Content
							}
							if stale {
								edit.IfRev = 2
							}
							if late {
								edit.Window--
							}
							done, err := edit.Apply(at(s), m, now)
							checkChange(t, done, err, m, s, by, deleted, !deleted && same, stale, late, true)
							if err == nil && !done.Unchanged {
								require.Equal(t, "new", done.Message.Content)
								require.Equal(t, now, *done.Message.EditedAt)
							}

							del := chat.DeleteParams{ID: m.ID, By: by, IfRev: edit.IfRev, Window: edit.Window}
							done, err = del.Apply(at(s), m, now)
							checkChange(t, done, err, m, s, by, false, deleted, stale, late, false)
							if err == nil && !done.Unchanged {
								require.Empty(t, done.Message.Content)
								require.Equal(t, now, *done.Message.DeletedAt)
							}
						}
					}
				}
			}
		}
	}
}

func checkChange(
	t *testing.T, done chat.Changed, err error, m chat.Message, s consultation.Status, by consultation.UserID,
	gone, unchanged, stale, late, edit bool,
) {
	t.Helper()
	var want error
	switch {
	case by == stranger.UserID:
		want = chat.ErrMessageNotFound
	case by != m.SenderID:
		want = chat.ErrNotSender
	case gone && edit:
		want = chat.ErrDeleted
	case unchanged:
		require.NoError(t, err)
		require.Equal(t, chat.Changed{Message: m, Unchanged: true}, done)
		return
	case stale:
		want = chat.ErrStale
	case late:
		want = chat.ErrWindowClosed
	case s != consultation.StatusInProgress:
		want = consultation.ErrNotActive
	default:
		require.NoError(t, err)
		require.EqualValues(t, 8, done.Message.Rev)
		require.EqualValues(t, 3, done.Message.Seq)
		require.False(t, done.Unchanged)
		return
	}
	require.ErrorIs(t, err, want)
	require.Zero(t, done)
}

func TestUnread(t *testing.T) {
	t.Parallel()
	message := func(seq int64, sender consultation.Participant, deleted bool) chat.Message {
		m := chat.Message{Seq: seq, Rev: 100, SenderID: sender.UserID}
		if deleted {
			m.DeletedAt = &then
		}
		return m
	}
	ms := []chat.Message{
		message(3, patient, false), message(4, student, false), message(5, student, true), message(6, stranger, false), message(7, student, false),
	}
	for _, c := range []struct {
		viewer consultation.UserID
		mark   int64
		want   int
	}{
		{patient.UserID, 0, 3},
		{patient.UserID, 4, 2},
		{patient.UserID, 6, 1},
		{patient.UserID, 7, 0},
		{student.UserID, 0, 2},
		{student.UserID, 3, 1},
		{"", 0, 4},
	} {
		require.Equal(t, c.want, chat.Unread(ms, c.viewer, chat.ReadMark{Seq: c.mark}), "%+v", c)
	}
	require.Zero(t, chat.Unread(nil, patient.UserID, chat.ReadMark{}))
}
