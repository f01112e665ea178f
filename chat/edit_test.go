package chat_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

func own(m chat.Message) chat.OwnMessageParams {
	return chat.OwnMessageParams{ID: m.ID, By: m.SenderID}
}

func TestEdit(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	p := own(b.say(t, patient, "first"))
	p.IfRev, p.Except = 3, "1.2"
	m, err := b.Edit(t.Context(), p, " second\n")
	require.NoError(t, err)
	require.Equal(t, "second", m.Content)
	require.EqualValues(t, 4, m.Rev)
	require.EqualValues(t, 3, m.Seq)
	require.NotNil(t, m.EditedAt)
	events := b.to.take()
	require.Len(t, events, 1)
	require.Equal(t, "message-updated", events[0].Name)
	require.EqualValues(t, "1.2", events[0].Except)
	want, err := json.Marshal(m)
	require.NoError(t, err)
	require.Equal(t, string(want), string(events[0].Data))

	again, err := b.Edit(t.Context(), p, "second")
	require.NoError(t, err, "a repeat is safe, also with the rev of before")
	require.Equal(t, m, again)
	require.Empty(t, b.to.take(), "a repeat is told to nobody")

	_, err = b.Edit(t.Context(), p, "third")
	var stale *chat.StaleError
	require.ErrorAs(t, err, &stale)
	require.ErrorIs(t, err, chat.ErrStale)
	require.EqualValues(t, 4, stale.Rev)
	require.Contains(t, err.Error(), "4")
	require.Equal(t, []string{"Edit", "Edit", "Edit"}, b.counted.calls)
}

func TestDelete(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	p := own(b.say(t, patient, "geheim"))
	p.Except = "1.2"
	m, err := b.Delete(t.Context(), p)
	require.NoError(t, err)
	require.True(t, m.Deleted())
	require.Empty(t, m.Content)
	events := b.to.take()
	require.Len(t, events, 1)
	require.Equal(t, "message-deleted", events[0].Name)
	require.EqualValues(t, "1.2", events[0].Except)
	require.NotContains(t, string(events[0].Data), "geheim")
	again, err := b.Delete(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, m, again)
	require.Empty(t, b.to.take())
	_, err = b.Edit(t.Context(), p, "back")
	require.ErrorIs(t, err, chat.ErrDeleted)
	require.Equal(t, []string{"Delete", "Delete", "Edit"}, b.counted.calls)
}

func TestChangeInput(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	m := b.say(t, patient, "first")
	for _, c := range []struct {
		field string
		p     chat.OwnMessageParams
	}{
		{"id", chat.OwnMessageParams{By: patient.UserID}},
		{"id", chat.OwnMessageParams{ID: "a b", By: patient.UserID}},
		{"userId", chat.OwnMessageParams{ID: m.ID}},
		{"userId", chat.OwnMessageParams{ID: m.ID, By: "a b"}},
		{"If-Match", chat.OwnMessageParams{ID: m.ID, By: patient.UserID, IfRev: -1}},
	} {
		_, err := b.Edit(t.Context(), c.p, "second")
		invalid(t, err, c.field)
		_, err = b.Delete(t.Context(), c.p)
		invalid(t, err, c.field)
	}
	require.Empty(t, b.counted.calls, "bad input has reached the store")
	for _, c := range []struct {
		p    chat.OwnMessageParams
		want error
	}{
		{chat.OwnMessageParams{ID: m.ID, By: student.UserID}, chat.ErrNotSender},
		{chat.OwnMessageParams{ID: m.ID, By: stranger.UserID}, chat.ErrMessageNotFound},
		{chat.OwnMessageParams{ID: "unknown", By: patient.UserID}, chat.ErrMessageNotFound},
	} {
		_, err := b.Edit(t.Context(), c.p, "second")
		require.ErrorIs(t, err, c.want)
		_, err = b.Delete(t.Context(), c.p)
		require.ErrorIs(t, err, c.want)
	}
	b.complete(t)
	_, err := b.Edit(t.Context(), own(m), "second")
	require.ErrorIs(t, err, consultation.ErrNotActive)
	_, err = b.Delete(t.Context(), own(m))
	require.ErrorIs(t, err, consultation.ErrNotActive)
	require.Empty(t, b.to.take())
}

func TestEditWindow(t *testing.T) {
	t.Parallel()
	for window, open := range map[time.Duration]time.Duration{0: 15 * time.Minute, time.Second: time.Second, -1: 1000 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			b := setup(t, chat.Options{EditWindow: window})
			m, gone := b.say(t, patient, "first"), b.say(t, patient, "first")
			<-time.After(open)
			_, err := b.Edit(t.Context(), own(m), "second")
			require.NoError(t, err)
			if window < 0 {
				return
			}
			<-time.After(time.Microsecond)
			_, err = b.Edit(t.Context(), own(m), "third")
			require.ErrorIs(t, err, chat.ErrWindowClosed)
			_, err = b.Delete(t.Context(), own(gone))
			require.ErrorIs(t, err, chat.ErrWindowClosed)
		})
	}
}
