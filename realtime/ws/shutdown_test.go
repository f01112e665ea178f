package ws_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

func TestShutdownClosesAndRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	c := f.connect()
	f.subscribe(c, private)
	f.broadcast(private, "1")
	done := make(chan error, 1)
	go func() { done <- f.Shutdown(t.Context()) }()
	frame, err := c.NextEvent(t.Context()) // what is queued still goes out
	require.NoError(t, err)
	require.Equal(t, "1", string(frame.Data))
	require.Equal(t, 4200, closeCode(t, c))
	require.NoError(t, <-done)
	require.Zero(t, f.Stats().Connections)

	_, err = f.dialPath(path, nil)
	var ce *realtimetest.CloseError
	require.ErrorAs(t, err, &ce)
	require.Equal(t, 4100, ce.Code)
	require.NoError(t, f.Shutdown(t.Context()))
	f.broadcast(private, "2") // nobody is there, which is no failure
}

func TestShutdownWithoutConnections(t *testing.T) {
	t.Parallel()
	f := start(t)
	require.NoError(t, f.Shutdown(t.Context()))
}

func TestShutdownEndsWithItsContext(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		f.connect() // does not read, and so does not answer the close frame
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := f.Shutdown(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "1 of 1 connections cut")
		synctest.Wait()
		require.Zero(t, f.Stats().Connections)
	})
}

// TestShutdownIsPaced closes 200 connections at the pace of 500 a second.
func TestShutdownIsPaced(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		const n = 200
		began := time.Now()
		var mu sync.Mutex
		var closed []time.Duration
		var wg sync.WaitGroup
		for range n {
			c := f.connect()
			wg.Go(func() {
				if closeCode(t, c) == 4200 {
					mu.Lock()
					defer mu.Unlock()
					closed = append(closed, time.Since(began))
				}
			})
		}
		require.NoError(t, f.Shutdown(t.Context()))
		wg.Wait()
		require.Len(t, closed, n)
		perWindow := map[time.Duration]int{}
		for _, at := range closed {
			perWindow[at.Truncate(100*time.Millisecond)]++
		}
		require.Len(t, perWindow, 4) // 0, 100, 200 and 300 ms
		for window, n := range perWindow {
			require.InDelta(t, 50, n, 6, window)
		}
	})
}

// TestChurn has connections come and go while events are sent, and looks for what is left behind.
func TestChurn(t *testing.T) {
	t.Parallel()
	f := start(t)
	stop := make(chan struct{})
	stopped := f.background(func() error {
		for {
			select {
			case <-stop:
				return nil
			default:
				ev := realtime.Event{Channel: lobby, Name: "x", Data: []byte("1")}
				if err := f.Broadcast(t.Context(), ev); err != nil {
					return err
				}
			}
		}
	})
	var clients []func()
	for i := range 4 {
		clients = append(clients, f.background(func() error {
			for j := range 10 {
				c, err := f.dialPath(path, nil)
				if err != nil {
					return err
				}
				_ = c.Subscribe(t.Context(), lobby, realtime.Grant{}) // may be closed for being too slow
				switch (i + j) % 3 {
				case 0:
					c.Close()
				case 1:
					c.Cut()
				default:
					_ = c.Unsubscribe(t.Context(), lobby)
					c.Close()
				}
			}
			return nil
		}))
	}
	for _, wait := range clients {
		wait()
	}
	close(stop)
	stopped()
	require.NoError(t, f.Shutdown(t.Context()))
	stats := f.Stats()
	require.Zero(t, stats.Connections)
	require.Zero(t, stats.Channels)
	require.Zero(t, stats.Subscriptions)
}
