package consultation_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/memstore"
)

func TestBroadcasterCannotFailAChange(t *testing.T) {
	t.Parallel()
	b := setup(t, consultation.Options{})
	id := b.request(t)
	b.to.err = errors.New("the transport is down")
	c, err := b.Accept(t.Context(), by(id, student))
	require.NoError(t, err)
	require.Equal(t, inProgress, c.Status)
	require.Contains(t, b.log.String(), "event not broadcast")
	require.NotContains(t, b.log.String(), student.FirstName)
}

func TestEventsGoOutAlthoughTheRequestIsOver(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	ctx, cancel := context.WithCancel(t.Context())
	var got []error
	bc := realtime.BroadcasterFunc(func(ctx context.Context, _ realtime.Event) error {
		cancel()
		got = append(got, ctx.Err())
		return nil
	})
	svc, err := consultation.NewService(store, bc, nil)
	require.NoError(t, err)
	c, err := svc.Request(ctx, consultation.RequestParams{Topic: "x", Patient: patient})
	require.NoError(t, err)
	_, err = svc.Accept(ctx, by(c.ID, student))
	require.NoError(t, err)
	require.Equal(t, []error{nil, nil}, got)
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	store, to := memstore.New(), &relay{}
	svc, err := consultation.NewService(store, to, nil)
	require.NoError(t, err)
	c, err := svc.Request(t.Context(), consultation.RequestParams{Topic: "x", Patient: patient})
	require.NoError(t, err)
	p := by(c.ID, student)
	p.Except = "1.2"
	_, err = svc.Accept(t.Context(), p)
	require.NoError(t, err)
	events := to.take()
	require.Equal(t, []string{"status-update", "consultation-updated"}, names(events))
	claim := realtime.ClaimParams{Limit: 10, Lease: time.Hour}
	entries, err := store.Claim(t.Context(), claim)
	require.NoError(t, err)
	require.Empty(t, entries, "the entries are leased to the hand-off")
	require.NoError(t, store.Nack(t.Context(), realtime.NackParams{IDs: to.ids}))
	entries, err = store.Claim(t.Context(), claim)
	require.NoError(t, err)
	require.Len(t, entries, 2)
	for i, entry := range entries {
		require.Equal(t, to.ids[i], entry.ID)
		require.Equal(t, events[i], entry.Event, "the outbox publishes the same as the hand-off")
	}
}

func TestTransitionTx(t *testing.T) {
	t.Parallel()
	store, to := memstore.New(), &relay{}
	svc, err := consultation.NewService(store, to, nil)
	require.NoError(t, err)
	c, err := svc.Request(t.Context(), consultation.RequestParams{Topic: "x", Patient: patient})
	require.NoError(t, err)
	accept := func(result error) error {
		return store.InTx(t.Context(), func(tx *memstore.Store) error {
			p := by(c.ID, student)
			p.Except = "1.2"
			got, err := svc.TransitionTx(t.Context(), tx, inProgress, p)
			require.NoError(t, err)
			require.Equal(t, inProgress, got.Status)
			_, err = svc.TransitionTx(t.Context(), tx, "OPEN", p)
			invalid(t, err, "status")
			return result
		})
	}
	rollback := errors.New("roll back")
	require.ErrorIs(t, accept(rollback), rollback)
	claim := func() []realtime.Entry {
		entries, err := store.Claim(t.Context(), realtime.ClaimParams{Limit: 10, Lease: time.Hour})
		require.NoError(t, err)
		return entries
	}
	require.Empty(t, claim())
	got, err := svc.Get(t.Context(), c.ID, patient.UserID)
	require.NoError(t, err)
	require.Equal(t, requested, got.Status)

	require.NoError(t, accept(nil))
	entries := claim()
	require.Len(t, entries, 2, "the entries are due at once")
	require.EqualValues(t, "1.2", entries[0].Event.Except)
	require.Empty(t, to.take(), "the outbox publishes, not the service")
}

func TestTransitionTxNeedsAnOutbox(t *testing.T) {
	t.Parallel()
	b := setup(t, consultation.Options{})
	id := b.request(t)
	_, err := b.TransitionTx(t.Context(), b.store, inProgress, by(id, student))
	require.ErrorIs(t, err, consultation.ErrNoOutbox)
	require.Zero(t, b.store.calls)
}
