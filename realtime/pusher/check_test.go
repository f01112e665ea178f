package pusher_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/pusher"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	b := e.broadcaster()
	require.NoError(t, b.Check(t.Context()))
	paths, bodies := e.requests()
	require.Equal(t, []string{"/apps/17/channels"}, paths)
	require.Empty(t, bodies[0], "nothing is published")

	e.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	var refused *realtime.RefusedError
	require.ErrorAs(t, b.Check(t.Context()), &refused)
	e.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	var limited *realtime.RateLimitError
	require.ErrorAs(t, b.Broadcast(t.Context(), event()), &limited)
	e.server.Close()
	err := b.Check(t.Context())
	require.Error(t, err)
	require.NotContains(t, err.Error(), "auth_signature")
	require.Equal(t, pusher.Stats{Calls: 4, Failures: 3, Limited: 1}, b.Stats())

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, b.Check(ended), context.Canceled)
}
