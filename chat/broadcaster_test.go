package chat_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/memstore"
)

func claim(t *testing.T, s *memstore.Store) []realtime.Entry {
	t.Helper()
	entries, err := s.Claim(t.Context(), realtime.ClaimParams{Limit: 100, Lease: time.Hour})
	require.NoError(t, err)
	return entries
}

// everything calls each method that tells others of something.
func (b bundle) everything(t *testing.T) {
	t.Helper()
	sent, err := b.Send(t.Context(), text(patient, "geheim"))
	require.NoError(t, err)
	p := chat.OwnMessageParams{ID: sent.Message.ID, By: patient.UserID}
	_, err = b.Edit(t.Context(), p, "geheim 2")
	require.NoError(t, err)
	_, err = b.MarkRead(t.Context(), chat.ReadParams{ConsultationID: room, Reader: student.UserID, Seq: 3})
	require.NoError(t, err)
	_, err = b.Delete(t.Context(), p)
	require.NoError(t, err)
	require.EqualValues(t, 5, b.rev(t), "everything is stored")
}

func TestBroadcasterThatFails(t *testing.T) {
	t.Parallel()
	b := with(t, realtime.BroadcasterFunc(func(context.Context, realtime.Event) error {
		return errors.New("the transport is down")
	}), chat.Options{})
	b.everything(t)
	require.Equal(t, 4, strings.Count(b.log.String(), "the transport is down"))
	require.NotContains(t, b.log.String(), "geheim")
}

func TestBroadcasterThatPanics(t *testing.T) {
	t.Parallel()
	b := with(t, realtime.BroadcasterFunc(func(_ context.Context, ev realtime.Event) error {
		panic(string(ev.Data))
	}), chat.Options{})
	b.everything(t)
	require.Equal(t, 4, strings.Count(b.log.String(), "panicked"))
	require.NotContains(t, b.log.String(), "geheim", "the value of the panic is in the log")
}

func TestBroadcasterThatHangs(t *testing.T) {
	t.Parallel()
	for timeout, want := range map[time.Duration]time.Duration{0: 2 * time.Second, time.Minute: time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			b := with(t, realtime.BroadcasterFunc(func(ctx context.Context, _ realtime.Event) error {
				<-ctx.Done()
				return ctx.Err()
			}), chat.Options{Publisher: realtime.PublisherOptions{Timeout: timeout}})
			start := time.Now()
			b.everything(t)
			require.Equal(t, 4*want, time.Since(start), "each call waits for the timeout and no longer")
			require.Equal(t, 4, strings.Count(b.log.String(), "deadline exceeded"))
		})
	}
}

func TestBroadcastOutlivesTheRequest(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var during error
	b := with(t, realtime.BroadcasterFunc(func(ctx context.Context, _ realtime.Event) error {
		cancel() // the client has gone away once the message was stored
		during = ctx.Err()
		return nil
	}), chat.Options{})
	_, err := b.Send(ctx, text(patient, "hello"))
	require.NoError(t, err)
	require.Error(t, ctx.Err())
	require.NoError(t, during)
}

func TestOutboxGetsEverything(t *testing.T) {
	t.Parallel()
	to := &relay{}
	b := with(t, to, chat.Options{})
	p := text(patient, "hello")
	p.Except = "1.2"
	sent, err := b.Send(t.Context(), p)
	require.NoError(t, err)
	require.Empty(t, claim(t, b.store), "the entry is leased to the hand-off")
	handed := to.take()
	require.Len(t, to.ids, 1)
	require.NoError(t, b.store.Nack(t.Context(), realtime.NackParams{IDs: to.ids}))
	entries := claim(t, b.store)
	require.Len(t, entries, 1)
	require.Equal(t, handed[0], entries[0].Event, "the outbox publishes the same as the hand-off")
	require.NoError(t, b.store.Ack(t.Context(), to.ids...))

	change := chat.OwnMessageParams{ID: sent.Message.ID, By: patient.UserID, Except: "3.4"}
	_, err = b.Edit(t.Context(), change, "second")
	require.NoError(t, err)
	_, err = b.Edit(t.Context(), change, "second")
	require.NoError(t, err)
	_, err = b.Delete(t.Context(), change)
	require.NoError(t, err)
	_, err = b.MarkRead(t.Context(), chat.ReadParams{ConsultationID: room, Reader: student.UserID, Seq: 3})
	require.NoError(t, err)
	var names []string
	for _, ev := range to.take() {
		names = append(names, ev.Name+" "+string(ev.Except))
	}
	require.Equal(t, []string{"message-updated 3.4", "message-deleted 3.4", "messages-read "}, names)
	require.Len(t, to.ids, 4)
	require.NotZero(t, to.ids[1])
	require.NotZero(t, to.ids[2])
	require.Zero(t, to.ids[3], "a read mark has no entry: the next one mends it")
}
