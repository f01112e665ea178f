package consultation_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/memstore"
)

// limited returns the wait that err asks for.
func limited(t *testing.T, err error) time.Duration {
	t.Helper()
	require.ErrorIs(t, err, consultation.ErrRateLimited)
	var is *consultation.RateLimitError
	require.ErrorAs(t, err, &is)
	return is.RetryAfter
}

func TestRequestRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, consultation.Options{})
		p := consultation.RequestParams{Topic: "Rücken", Patient: patient}
		_, _, err := b.RequestOnce(t.Context(), p, "key-1")
		require.NoError(t, err)
		for range 19 {
			b.request(t)
		}
		_, err = b.Request(t.Context(), p)
		require.Equal(t, time.Second, limited(t, err))
		require.Zero(t, b.store.calls, "the store is not asked")
		_, replayed, err := b.RequestOnce(t.Context(), p, "key-1")
		require.NoError(t, err)
		require.True(t, replayed, "a repeat is answered above the rate")
		p.By = consultation.Host()
		_, err = b.Request(t.Context(), p)
		require.NoError(t, err, "the host is not limited")
		other := p.Patient
		other.UserID = "patient-2"
		_, err = b.Request(t.Context(), consultation.RequestParams{Topic: "Rücken", Patient: other})
		require.NoError(t, err, "each patient has their own")
		require.EqualValues(t, 1, b.Stats().RateLimited)
	})
}

func TestTransitionRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, consultation.Options{})
		id := b.start(t)
		for range 99 { // the first was the accept
			_, err := b.Accept(t.Context(), by(id, student))
			require.NoError(t, err)
		}
		b.store.calls = 0
		for name, change := range map[string]func(p consultation.TransitionParams) error{
			"accept":   func(p consultation.TransitionParams) error { _, err := b.Accept(t.Context(), p); return err },
			"complete": func(p consultation.TransitionParams) error { _, err := b.Complete(t.Context(), p); return err },
			"cancel":   func(p consultation.TransitionParams) error { _, err := b.Cancel(t.Context(), p); return err },
		} {
			require.Equal(t, 50*time.Millisecond, limited(t, change(by(id, student))), name)
		}
		require.Zero(t, b.store.calls, "the store is not asked")
		_, err := b.Reassign(t.Context(), byHost(id, &other))
		require.NoError(t, err, "the host is not limited")
		_, err = b.Cancel(t.Context(), by(id, patient))
		require.NoError(t, err, "each user has their own")
		require.EqualValues(t, 3, b.Stats().RateLimited)
	})
}

func TestRateOptions(t *testing.T) {
	t.Parallel()
	bad := realtime.Rate{PerSecond: 1e-9}
	_, err := consultation.NewService(memstore.New(), &recorder{}, &consultation.Options{WriteRate: bad})
	require.ErrorContains(t, err, "WriteRate")
	_, err = consultation.NewService(memstore.New(), &recorder{}, &consultation.Options{RequestRate: bad})
	require.ErrorContains(t, err, "RequestRate")
	none := realtime.Rate{PerSecond: -1}
	b := setup(t, consultation.Options{WriteRate: none, RequestRate: none})
	for range 200 {
		b.request(t)
	}
	id := b.start(t)
	for range 200 {
		_, err := b.Accept(t.Context(), by(id, student))
		require.NoError(t, err)
	}
}
