package ws_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

// TestMessagesAreCounted holds that a message counts once, in whatever way it goes: as an answer, with a change of the hub
// or as an event, which counts for each receiver. Control frames are no messages.
func TestMessagesAreCounted(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		var before [2]uint64
		counts := func(in, out uint64, what string) {
			t.Helper()
			synctest.Wait()
			now := [2]uint64{f.Stats().MessagesIn, f.Stats().MessagesOut}
			require.Equal(t, [2]uint64{in, out}, [2]uint64{now[0] - before[0], now[1] - before[1]}, what)
			before = now
		}
		a, b, c := f.connect(), f.connect(), f.connect()
		counts(0, 3, "greetings")
		require.NoError(t, a.SendFrame(t.Context(), realtimetest.OpPing, true, nil))
		require.NoError(t, a.SendFrame(t.Context(), realtimetest.OpPong, true, nil))
		require.NoError(t, a.Sync(t.Context()))
		counts(1, 1, "a ping of the protocol's, and control frames")
		require.NoError(t, a.SendFrame(t.Context(), realtimetest.OpText, false, []byte(`{"event":"pusher`)))
		require.NoError(t, a.SendFrame(t.Context(), realtimetest.OpContinuation, true, []byte(`:pong"}`)))
		counts(1, 0, "a message in two frames")
		require.NoError(t, a.SendText(t.Context(), "nonsense"))
		require.Contains(t, next(t, a), "pusher:error")
		counts(1, 1, "a message that is refused")

		f.subscribe(a, lobby)
		f.subscribe(b, lobby)
		f.subscribe(c, lobby)
		counts(3, 3, "acknowledgements")
		f.broadcast(lobby, "1")
		counts(0, 3, "an event")
		f.broadcast("nobody", "1")
		counts(0, 0, "an event for nobody")
		ev := realtime.Event{Channel: lobby, Name: "e", Data: []byte("2"), Except: a.SocketID()}
		require.NoError(t, f.Broadcast(t.Context(), ev))
		counts(0, 2, "an event that one does not get")
		f.Hold()
		f.broadcast(lobby, "3")
		f.broadcast(lobby, "4")
		counts(0, 0, "events that nobody has been given yet")
		f.Resume()
		counts(0, 6, "events that are joined")

		require.NoError(t, c.Unsubscribe(t.Context(), lobby))
		counts(1, 0, "what has no answer")
		for range 3 {
			next(t, a)
		}
		f.join(a, room, "ann")
		for range 4 {
			next(t, b)
		}
		f.join(b, room, "bob")
		counts(2, 3, "two members, one of whom is told of the other")
		for _, client := range []*realtimetest.Client{a, b, c} {
			require.NoError(t, client.Sync(t.Context()))
		}
		counts(3, 3, "pings of the protocol's")
		pass(30 * time.Second)
		counts(0, 3, "the server's pings, with one of RFC 6455 each")
	})
}
