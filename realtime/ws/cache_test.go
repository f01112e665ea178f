package ws_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/ws"
)

func TestCacheChannels(t *testing.T) {
	t.Parallel()
	for _, ch := range []realtime.Channel{"cache-a", "private-cache-a", "private-encrypted-cache-a", "presence-cache-a"} {
		f := start(t)
		first, second, third := f.connect(), f.connect(), f.connect()
		miss := `{"event":"pusher:cache_miss","channel":"` + string(ch) + `"}`
		event := func(data string) string {
			return `{"event":"new-message","channel":"` + string(ch) + `","data":"` + data + `"}`
		}
		f.subscribe(first, ch)
		require.Equal(t, miss, next(t, first))
		f.broadcast(ch, "1")
		require.Equal(t, event("1"), next(t, first))
		require.NoError(t, f.Broadcast(t.Context(), realtime.Event{
			Channel: ch, Name: "new-message", Data: []byte("2"), Except: first.SocketID(),
		}))
		silent(t, first)
		f.subscribe(second, ch)
		require.Equal(t, event("2"), next(t, second), "the last event, also for those it was not sent to")
		second.Close()
		first.Close()
		f.waitConnections(1)
		f.subscribe(third, ch) // it is remembered while nobody is there
		require.Equal(t, event("2"), next(t, third))
		f.broadcast(ch, "3")
		require.Equal(t, event("3"), next(t, third))
		silent(t, third)
	}
}

func TestCacheForgets(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		f.broadcast("cache-a", "1")
		for _, want := range []string{"new-message", "pusher:cache_miss"} {
			c := f.connect()
			f.subscribe(c, "cache-a")
			frame, err := c.Next(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, frame.Event)
			c.Close()
			pass(30 * time.Minute)
		}
	})
}

// TestCacheGivesBack publishes on channels that nobody subscribes to: what is over does not stay in memory.
func TestCacheGivesBack(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		for minute := range 120 {
			f.broadcast(realtime.Channel(fmt.Sprintf("cache-%d", minute)), "1")
			pass(time.Minute)
			require.LessOrEqual(t, f.CachedEvents(), 32) // those of half an hour, and of the time between two sweeps
		}
		pass(32 * time.Minute)
		require.Zero(t, f.CachedEvents())
		f.broadcast("cache-a", "1")
		f.broadcast("cache-b", "1")
		pass(time.Minute)
		f.broadcast("cache-a", "1")
		pass(29 * time.Minute)
		require.Equal(t, 1, f.CachedEvents())
		require.NoError(t, f.Shutdown(t.Context()))
		require.Zero(t, f.CachedEvents())
		f.broadcast("cache-a", "1")
		require.Zero(t, f.CachedEvents())
	})
}

// TestCacheIsBounded publishes on more channels than are remembered: the latest is always among those that are.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) { c.MaxCachedEvents, c.MaxChannels, c.SubscribeRate.PerSecond = 10, 200, -1 })
	for i := range 100 {
		f.broadcast(realtime.Channel(fmt.Sprintf("cache-%d", i)), "1")
	}
	c := f.connect()
	hits := 0
	for i := range 100 {
		f.subscribe(c, realtime.Channel(fmt.Sprintf("cache-%d", i)))
		frame, err := c.Next(t.Context())
		require.NoError(t, err)
		if frame.Event == "new-message" {
			hits++
		}
		require.True(t, i < 99 || frame.Event == "new-message")
	}
	require.Equal(t, 10, hits)
}

// TestCacheDeliversOnce has somebody subscribe again and again while events are published: each subscription begins with
// a remembered event, or a miss, and goes on with the next ones, without a gap and without a repetition.
func TestCacheDeliversOnce(t *testing.T) {
	t.Parallel()
	const events = 300
	f := start(t, func(c *ws.Config) {
		c.SubscribeRate.PerSecond, c.MessageRate.PerSecond = -1, -1
		c.MaxQueueFrames = 2 * events // the client may read as slowly as it likes
	})
	f.background(func() error {
		for i := range events {
			ev := realtime.Event{Channel: "cache-a", Name: "n", Data: fmt.Append(nil, i+1)}
			if err := f.Broadcast(t.Context(), ev); err != nil {
				return err
			}
		}
		return nil
	})
	c := f.connect()
	for last := 0; last < events; {
		f.subscribe(c, "cache-a")
		started := false
		for range 5 {
			frame, err := c.Next(t.Context())
			require.NoError(t, err)
			if frame.Event != "n" {
				continue
			}
			var n int
			_, err = fmt.Sscan(string(frame.Data), &n)
			require.NoError(t, err)
			require.True(t, !started || n == last+1, "%d after %d", n, last)
			started, last = true, n
			if n == events {
				break
			}
		}
		require.NoError(t, c.Unsubscribe(t.Context(), "cache-a"))
		require.NoError(t, c.Sync(t.Context()))
		for { // what came in front of the pong
			frame, ok := c.Waiting()
			if !ok {
				break
			}
			require.Equal(t, "n", frame.Event)
			_, err := fmt.Sscan(string(frame.Data), &last)
			require.NoError(t, err)
		}
	}
}
