package ws_test

import (
	"context"
	"errors"
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
	synctest.Test(t, func(t *testing.T) {
		f := startPiped(t)
		defer f.stop()
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
	synctest.Test(t, func(t *testing.T) {
		f := startPiped(t)
		defer f.stop()
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
	synctest.Test(t, func(t *testing.T) {
		f := startPiped(t)
		defer f.stop()
		began := time.Now()
		c, err := f.dialPath(path, &realtimetest.DialOptions{Mute: true})
		require.NoError(t, err)
		frame, err := c.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, "pusher:ping", frame.Event)
		require.Equal(t, 4201, closeCode(t, c))
		require.Equal(t, 40*time.Second, time.Since(began))
		synctest.Wait()
		require.Zero(t, f.Stats().Connections)
		require.Zero(t, f.Stats().SlowCloses)
	})
}

// TestEitherPongIsEnough leaves the protocol's ping unanswered, and answers the one of RFC 6455.
func TestEitherPongIsEnough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := startPiped(t)
		defer f.stop()
		c, err := f.dialPath(path, &realtimetest.DialOptions{Mute: true})
		require.NoError(t, err)
		for range 5 {
			frame, err := c.Next(t.Context())
			require.NoError(t, err)
			require.Equal(t, "pusher:ping", frame.Event)
			require.NoError(t, c.SendFrame(t.Context(), realtimetest.OpPong, true, nil))
		}
	})
}

// TestClientThatDoesNotAnswerTheCloseIsCut shows that nothing of a connection stays when the client ignores the close
// frame.
func TestClientThatDoesNotAnswerTheCloseIsCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := startPiped(t)
		defer f.stop()
		c := f.connect()
		require.NoError(t, c.SendFrame(t.Context(), realtimetest.OpBinary, true, nil))
		synctest.Wait()
		require.Equal(t, 1, f.Stats().Connections) // the close frame waits for someone to read it
		pass(5 * time.Second)                      // the write timeout
		require.Zero(t, f.Stats().Connections)
	})
}

// TestSlowConsumer fills the queue of a connection that does not read at all.
func TestSlowConsumer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := startPiped(t)
		defer f.stop()
		c := f.connect()
		f.subscribe(c, private)
		for n := range 65 { // one is being written, 63 wait, and there is no room for one more
			synctest.Wait()
			require.Zero(t, f.Stats().SlowCloses, n)
			f.broadcast(private, "1")
		}
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

func TestQueueIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := startPiped(t, func(c *ws.Config) { c.MaxQueueBytes = 4096 })
		defer f.stop()
		c := f.connect()
		f.subscribe(c, private)
		payload := make([]byte, 1500)
		for i := range payload {
			payload[i] = '1'
		}
		f.broadcast(private, string(payload))
		f.broadcast(private, string(payload))
		require.Zero(t, f.Stats().SlowCloses)
		f.broadcast(private, string(payload))
		require.EqualValues(t, 1, f.Stats().SlowCloses)
		require.Equal(t, 4100, closeCode(t, c))
	})
}

// TestStuckWrite has a client that stops reading while too little waits to fill its queue.
func TestStuckWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := startPiped(t)
		defer f.stop()
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
	f := start(t)
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
