package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// The times in this file are those of a synctest bubble: exact, and over at once.

func TestSilentClientIsPinged(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		for range 100 { // it answers, and so may stay as long as it likes
			began := time.Now()
			frame, err := c.Next(t.Context())
			require.NoError(t, err)
			require.Equal(t, "pusher:ping", frame.Event)
			require.Equal(t, 30*time.Second, time.Since(began))
			require.NoError(t, c.Sync(t.Context())) // the ping of RFC 6455, which came along, is answered here
		}
	})
}

func TestClientThatTalksIsNotPinged(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), 29*time.Second)
			_, err := c.Next(ctx)
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NoError(t, c.Sync(t.Context()))
		}
	})
}

func TestDeadClientIsClosed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		began := time.Now()
		c, err := f.dialPath(path, &realtimetest.DialOptions{Mute: true})
		require.NoError(t, err)
		frame, err := c.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, "pusher:ping", frame.Event)
		require.Equal(t, 4201, closeCode(t, c))
		require.Equal(t, 40*time.Second, time.Since(began))
		pass(2 * time.Second) // it does not answer the close frame either
		require.Zero(t, f.Stats().Connections)
		require.Zero(t, f.Stats().SlowCloses)
	})
}

// TestEitherPongIsEnough leaves the protocol's ping unanswered, and answers the one of RFC 6455.
func TestEitherPongIsEnough(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c, tap := f.connectTapped()
		for range 5 {
			frame, err := c.Next(t.Context())
			require.NoError(t, err)
			require.Equal(t, "pusher:ping", frame.Event)
			require.Contains(t, tap.String(), `{"event":"pusher:ping","data":{}}`+"\x89\x00")
			tap.Reset()
			require.NoError(t, c.SendFrame(t.Context(), realtimetest.OpPong, true, nil))
		}
	})
}

// TestClosingEndsWithoutTheClient shows that nothing of a connection stays when the client does not answer the close
// frame, and that nothing happens on it in the meantime.
func TestClosingEndsWithoutTheClient(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c, tap := f.connectTapped()
		f.Contain(func() { panic("a bug") })
		require.Equal(t, 4200, closeCode(t, c))
		tap.Reset()
		f.SubscribeAll(lobby)
		require.NoError(t, c.SendFrame(t.Context(), realtimetest.OpPing, true, nil))
		require.NoError(t, c.SendText(t.Context(), `{"event":"pusher:ping"}`))
		synctest.Wait()
		require.Equal(t, 1, f.Stats().Connections)
		require.Zero(t, f.Stats().Subscriptions)
		pass(2 * time.Second)
		require.Zero(t, f.Stats().Connections)
		_, err := c.Next(t.Context())
		require.ErrorIs(t, err, io.EOF)
		require.Empty(t, tap.String(), "something came after the close frame")
	})
}

// TestClientThatGoesLeavesNothing has one client say good-bye and one lose its network.
func TestClientThatGoesLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*realtimetest.Client){
		"close": (*realtimetest.Client).Close, "cut": (*realtimetest.Client).Cut,
	} {
		inBubble(t, func(t *testing.T, f *fixture) {
			c := f.connect()
			f.subscribe(c, lobby, private)
			require.Equal(t, 2, f.Stats().Subscriptions)
			leave(c)
			synctest.Wait()
			require.Zero(t, f.Stats().Connections, name)
			require.Zero(t, f.Stats().Subscriptions, name)
			require.Zero(t, f.Stats().Channels, name)
		})
	}
}

// TestCloseFrameThatNobodyReads has the same happen to a client that does not read at all.
func TestCloseFrameThatNobodyReads(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		require.NoError(t, c.SendFrame(t.Context(), realtimetest.OpBinary, true, nil))
		synctest.Wait()
		require.Equal(t, 1, f.Stats().Connections)
		pass(5 * time.Second) // the write timeout
		require.Zero(t, f.Stats().Connections)
	})
}

// TestRestOfABigMessageIsRead shows that the server takes in what the client is still sending: closing at once would
// reset the connection, and could take the close frame along.
func TestRestOfABigMessageIsRead(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		sent := make(chan error, 1)
		go func() { sent <- c.SendFrame(t.Context(), realtimetest.OpText, true, make([]byte, 100<<10)) }()
		require.Equal(t, 1009, closeCode(t, c))
		require.NoError(t, <-sent)
	})
}

// TestSlowConsumer fills the queue of a connection that does not read at all.
func TestSlowConsumer(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		f.subscribe(c, private)
		for n := range 65 { // one is being written, 63 wait, and there is no room for one more
			if n == 1 {
				pass(250 * time.Millisecond) // and it is the client's fault
			}
			synctest.Wait()
			require.Zero(t, f.Stats().SlowCloses, n)
			f.broadcast(private, "1")
		}
		synctest.Wait()
		require.EqualValues(t, 1, f.Stats().SlowCloses)
		require.Zero(t, f.Stats().Subscriptions, "it gets nothing any more")
		f.broadcast(private, "2")

		frame, err := c.Next(t.Context()) // what was on its way
		require.NoError(t, err)
		require.Equal(t, "1", string(frame.Data))
		require.Equal(t, 4100, closeCode(t, c))
		require.EqualValues(t, 1, f.Stats().SlowCloses)
	})
}

// TestBurst has more events at once than a queue has room for frames, on a connection without a socket's buffer: a client
// that reads gets them all, and one that does not is closed for the bytes.
func TestBurst(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c, idle := f.connect(), f.connect()
		f.subscribe(c, private, "cache-a")
		f.subscribe(idle, private)
		for range 2 {
			const n = 300
			for i := range n {
				f.broadcast(private, strconv.Itoa(i))
				f.broadcast("cache-a", strconv.Itoa(i))
			}
			synctest.Wait()
			require.Zero(t, f.Stats().SlowCloses)
			got := map[realtime.Channel]int{}
			for range 2 * n {
				frame, err := c.NextEvent(t.Context())
				require.NoError(t, err)
				require.Equal(t, strconv.Itoa(got[frame.Channel]), string(frame.Data))
				got[frame.Channel]++
			}
		}
		for range 8 {
			f.broadcast(private, strings.Repeat("1", 10_000))
			synctest.Wait()
			_, err := c.NextEvent(t.Context())
			require.NoError(t, err)
		}
		require.EqualValues(t, 1, f.Stats().SlowCloses)
		require.Equal(t, 4100, closeCode(t, idle))
		silent(t, c)
	}, func(c *ws.Config) { c.MaxQueueBytes = 100_000 })
}

// TestLargeAnswer has a channel whose list of members alone is more than a queue has room for.
func TestLargeAnswer(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		info := json.RawMessage(`{"about":"` + strings.Repeat("x", 1000) + `"}`)
		var late *realtimetest.Client
		for i := range 23 {
			c := f.connect()
			grant := f.grantFor(c, room, &realtime.Member{UserID: strconv.Itoa(i), Info: info})
			if i == 20 { // asks, and does not read the answer before others have come
				late = c
				require.NoError(t, c.Send(t.Context(), "pusher:subscribe", map[string]string{
					"channel": string(room), "auth": grant.Auth, "channel_data": grant.ChannelData,
				}))
				synctest.Wait()
				require.Greater(t, f.Stats().QueuedBytes, 20_000)
				continue
			}
			require.NoError(t, c.Subscribe(t.Context(), room, grant))
			f.background(func() error {
				for {
					if _, err := c.Next(t.Context()); err != nil {
						return nil
					}
				}
			})
			synctest.Wait()
		}
		require.Equal(t, map[string]int{"pusher_internal:subscription_succeeded": 1, "pusher_internal:member_added": 2}, tally(t, late, 3))
		require.Equal(t, 23, f.Stats().Subscriptions)
	}, func(c *ws.Config) { c.MaxQueueBytes = 4096 })
}

func TestQueueIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		f.subscribe(c, private)
		payload := make([]byte, 1500)
		for i := range payload {
			payload[i] = '1'
		}
		f.broadcast(private, string(payload))
		f.broadcast(private, string(payload))
		synctest.Wait()
		require.Zero(t, f.Stats().SlowCloses)
		f.broadcast(private, string(payload))
		synctest.Wait()
		require.EqualValues(t, 1, f.Stats().SlowCloses)
		require.Equal(t, 4100, closeCode(t, c))
	}, func(c *ws.Config) { c.MaxQueueBytes = 4096 })
}

// TestStuckWrite has a client that stops reading while too little waits to fill its queue.
func TestStuckWrite(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		f.subscribe(c, private)
		f.broadcast(private, "1")
		pass(5 * time.Second)
		_, err := c.Next(t.Context())
		require.Error(t, err)
		require.Zero(t, f.Stats().Connections)
		require.EqualValues(t, 1, f.Stats().SlowCloses)
	})
}

// pass lets time go by within a bubble, and everything happen that is due then.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// TestSlowConsumerHurtsNobodyElse runs over real sockets: one connection does not read until the kernel's buffers and
// its queue are full, while another gets every event.
func TestSlowConsumerHurtsNobodyElse(t *testing.T) {
	t.Parallel()
	f := startOn(t, "tcp")
	slow, healthy := f.connect(), f.connect()
	f.subscribe(slow, private)
	f.subscribe(healthy, private)
	payload := make([]byte, realtime.MaxEventData)
	for i := range payload {
		payload[i] = '1'
	}
	sent := 0
	for f.Stats().SlowCloses == 0 {
		f.broadcast(private, string(payload))
		frame, err := healthy.NextEvent(t.Context())
		require.NoError(t, err)
		require.Len(t, frame.Data, len(payload))
		sent++
	}
	received := 0
	var err error
	for ; err == nil; received++ {
		_, err = slow.NextEvent(t.Context())
	}
	var ce *realtimetest.CloseError
	require.True(t, errors.As(err, &ce), err)
	require.Equal(t, 4100, ce.Code)
	require.Less(t, received, sent)
}

func TestPanicEndsTheConnectionOnly(t *testing.T) {
	t.Parallel()
	f := start(t)
	c := f.connect()
	f.Contain(func() { panic("a bug") })
	require.Equal(t, 4200, closeCode(t, c)) // reconnects at once
	require.NoError(t, f.connect().Sync(t.Context()))
}
