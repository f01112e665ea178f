package consultation_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
)

func TestRequestOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, consultation.Options{})
	p := consultation.RequestParams{Topic: "Rücken", Patient: patient}
	first, replayed, err := b.RequestOnce(t.Context(), p, "key-1")
	require.NoError(t, err)
	require.False(t, replayed)
	for _, topic := range []string{"Rücken", "  Rücken\n"} {
		p.Topic = topic
		again, replayed, err := b.RequestOnce(t.Context(), p, "key-1")
		require.NoError(t, err)
		require.True(t, replayed)
		require.Equal(t, first, again)
	}
	p.Topic = "Knie"
	_, _, err = b.RequestOnce(t.Context(), p, "key-1")
	require.ErrorIs(t, err, consultation.ErrKeyReused)
	require.EqualValues(t, 1, b.Stats().Requested)

	p.Topic = "Rücken"
	ids := map[consultation.ID]bool{first.ID: true}
	p.Patient.UserID = "patient-2"
	for _, key := range []string{"key-1", "key-2", "", ""} {
		c, replayed, err := b.RequestOnce(t.Context(), p, key)
		require.NoError(t, err)
		require.False(t, replayed)
		ids[c.ID] = true
	}
	require.Len(t, ids, 5, "a key is its patient's")

	_, err = b.Accept(t.Context(), byHost(first.ID, &student))
	require.NoError(t, err)
	ended, err := b.Cancel(t.Context(), byHost(first.ID, nil))
	require.NoError(t, err)
	p.Patient = patient
	again, replayed, err := b.RequestOnce(t.Context(), p, "key-1")
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, ended, again, "a repeat returns the consultation as it is now")
}

func TestRequestOnceConcurrently(t *testing.T) {
	t.Parallel()
	var b bundle
	// begun opens once both requests have found no earlier one.
	var begun sync.WaitGroup
	begun.Add(2)
	b = setup(t, consultation.Options{Policy: func(context.Context, consultation.Action, consultation.ID, consultation.Participant) error {
		begun.Done()
		begun.Wait()
		return nil
	}})
	b.store.calls = 0
	var requests sync.WaitGroup
	answers := make([]consultation.Consultation, 2)
	replays := make([]bool, 2)
	for i := range answers {
		requests.Go(func() {
			var err error
			answers[i], replays[i], err = b.RequestOnce(t.Context(), consultation.RequestParams{Topic: "Rücken", Patient: patient}, "key-1")
			require.NoError(t, err)
		})
	}
	requests.Wait()
	require.Equal(t, answers[0], answers[1])
	require.NotEqual(t, replays[0], replays[1])
}

func TestRequestOnceRefuses(t *testing.T) {
	t.Parallel()
	asked := 0
	b := setup(t, consultation.Options{Policy: func(context.Context, consultation.Action, consultation.ID, consultation.Participant) error {
		if asked++; asked > 1 {
			return fmt.Errorf("%w: one consultation at a time", consultation.ErrForbidden)
		}
		return nil
	}})
	p := consultation.RequestParams{Topic: "Rücken", Patient: patient}
	for _, key := range []string{"a b", "ä", "x.y", string(make([]byte, 65))} {
		_, _, err := b.RequestOnce(t.Context(), p, key)
		invalid(t, err, "Idempotency-Key")
	}
	p.ID = "own-id"
	_, _, err := b.RequestOnce(t.Context(), p, "key-1")
	invalid(t, err, "consultationId")
	require.Zero(t, b.store.calls)

	p.ID = ""
	first, _, err := b.RequestOnce(t.Context(), p, "key-1")
	require.NoError(t, err)
	again, replayed, err := b.RequestOnce(t.Context(), p, "key-1")
	require.NoError(t, err, "the policy is not asked about a request that was made")
	require.True(t, replayed)
	require.Equal(t, first, again)
	_, _, err = b.RequestOnce(t.Context(), p, "key-2")
	require.ErrorIs(t, err, consultation.ErrForbidden)
}
