package ws_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// toldOf runs a test in a bubble, with a server that tells an endpoint what its clients do.
func toldOf(t *testing.T, test func(*testing.T, *fixture, *endpoint), kinds ...string) {
	t.Helper()
	inBubble(t, func(t *testing.T, f *fixture) {
		e := &endpoint{t: t, began: time.Now()}
		f.TransportWebhooks(e)
		test(t, f, e)
	}, withWebhook, func(c *ws.Config) { c.Webhooks[0].Events = kinds })
}

// TestReloadIsNoNews has a client go and come back within three seconds, in every way there is, and then stay away.
func TestReloadIsNoNews(t *testing.T) {
	t.Parallel()
	toldOf(t, func(t *testing.T, f *fixture, e *endpoint) {
		come := func() *realtimetest.Client {
			c := f.connect()
			f.subscribe(c, lobby)
			f.join(c, room, "ann")
			return c
		}
		c := come()
		require.Equal(t, []string{
			`{"name":"channel_occupied","channel":"lobby"}`,
			`{"name":"channel_occupied","channel":"presence-room"}`,
			`{"name":"member_added","channel":"presence-room","user_id":"ann"}`,
		}, e.after(time.Second))
		for _, leave := range []func(){
			func() { c.Close() },
			func() { c.Cut() },
			func() {
				require.NoError(t, c.Unsubscribe(t.Context(), lobby))
				require.NoError(t, c.Unsubscribe(t.Context(), room))
			},
		} {
			leave()
			require.Len(t, e.after(2900*time.Millisecond), 3)
			c = come()
			require.Len(t, e.after(10*time.Second), 3)
		}
		c.Close()
		require.Len(t, e.after(2900*time.Millisecond), 3)
		require.ElementsMatch(t, []string{
			`{"name":"channel_vacated","channel":"lobby"}`,
			`{"name":"channel_vacated","channel":"presence-room"}`,
			`{"name":"member_removed","channel":"presence-room","user_id":"ann"}`,
		}, e.after(300 * time.Millisecond)[3:])
		come() // news again
		require.Len(t, e.after(time.Second), 9)
	})
}

// TestMissesWithinAPauseAreOne has clients subscribe to a channel that remembers nothing.
func TestMissesWithinAPauseAreOne(t *testing.T) {
	t.Parallel()
	toldOf(t, func(t *testing.T, f *fixture, e *endpoint) {
		miss := func() {
			c := f.connect()
			f.subscribe(c, "cache-a")
			require.Contains(t, next(t, c), "cache_miss")
		}
		miss()
		require.Equal(t, []string{`{"name":"cache_miss","channel":"cache-a"}`}, e.after(9900*time.Millisecond))
		miss()
		require.Len(t, e.after(200*time.Millisecond), 1)
		miss() // 10.1 s after the first
		require.Len(t, e.after(9900*time.Millisecond), 2)
		miss() // a pause follows this one too
		require.Len(t, e.after(200*time.Millisecond), 2)
		miss()
		require.Len(t, e.after(time.Second), 3)
	}, "cache_miss")
}
