package realtime_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

func TestFaultsWithoutACause(t *testing.T) {
	t.Parallel()
	for _, err := range []error{&realtime.PermanentError{}, &realtime.RefusedError{}, &realtime.RateLimitError{}} {
		require.Contains(t, err.Error(), "no cause given")
		require.NoError(t, errors.Unwrap(err))
	}
	r := newRelayed(t, realtime.RelayOptions{})
	r.to.answers(always(&realtime.PermanentError{}))
	r.queue.add("private-a", 0)
	_, err := r.relay.Flush(t.Context())
	require.NoError(t, err)
	require.Len(t, r.queue.parked, 1)
}

func TestBroadcasterFunc(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	var got realtime.Event
	var b realtime.Broadcaster = realtime.BroadcasterFunc(func(_ context.Context, ev realtime.Event) error {
		got = ev
		return down
	})
	require.ErrorIs(t, b.Broadcast(t.Context(), validEvent()), down)
	require.Equal(t, validEvent(), got)
}

func TestPermanentError(t *testing.T) {
	t.Parallel()
	cause := errors.New("unknown app")
	var err error = &realtime.PermanentError{Err: cause}
	require.ErrorIs(t, err, cause)
	var permanent *realtime.PermanentError
	require.ErrorAs(t, err, &permanent)
	require.EqualError(t, err, "realtime: permanent: unknown app")
}
