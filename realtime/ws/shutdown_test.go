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
	"github.com/murph-chat/murph/realtime/ws"
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

// TestShutdownHurries has less time than closing 200 connections takes at its pace: it closes them over what there is, and
// leaves the last one some of that for its answer.
func TestShutdownHurries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ has, closeTimeout, takes time.Duration }{
		{100 * time.Millisecond, 2 * time.Second, 50 * time.Millisecond}, // half of it
		{120 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond},
		{time.Hour, 2 * time.Second, 400 * time.Millisecond},
	} {
		inBubble(t, func(t *testing.T, f *fixture) {
			const n, step = 200, 10 * time.Millisecond
			closed := make(chan time.Duration, n)
			began := time.Now()
			for range n {
				c := f.connect()
				go func() {
					if closeCode(t, c) == 4200 {
						closed <- time.Since(began)
					}
				}()
			}
			ctx, cancel := context.WithTimeout(t.Context(), c.has)
			defer cancel()
			require.NoError(t, f.Shutdown(ctx))
			synctest.Wait()
			require.Len(t, closed, n)
			perStep, want := map[time.Duration]int{}, map[time.Duration]int{}
			for range n {
				perStep[<-closed]++
			}
			for at := time.Duration(0); at < c.takes; at += step {
				want[at] = n / int(c.takes/step)
			}
			require.Equal(t, want, perStep)
		}, func(cfg *ws.Config) { cfg.CloseTimeout = c.closeTimeout })
	}
}

// TestEndOfAPacedSubscriber closes a connection whose reader waits, as its client is to subscribe once in 100 s: no end of
// it waits for that.
func TestEndOfAPacedSubscriber(t *testing.T) {
	t.Parallel()
	const pause, closeTimeout = 100 * time.Millisecond, 2 * time.Second
	for name, end := range map[string]struct {
		do   func(*fixture) error
		code int
	}{
		"shutdown":  {func(f *fixture) error { return f.Shutdown(f.t.Context()) }, 4200},
		"terminate": {func(f *fixture) error { return f.TerminateUser(f.t.Context(), "ann") }, 4009},
	} {
		inBubble(t, func(t *testing.T, f *fixture) {
			answers := f.connect()
			mute, err := f.dialPath(path, &realtimetest.DialOptions{Mute: true})
			require.NoError(t, err)
			for _, c := range []*realtimetest.Client{answers, mute} {
				f.signIn(c, "ann", "")
				f.subscribe(c, private)
				require.NoError(t, c.Send(t.Context(), "pusher:subscribe", map[string]string{"channel": string(lobby)}))
			}
			pass(pause / 2)
			require.Zero(t, f.Subscribers(lobby))
			began := time.Now()
			over := f.background(func() error { return end.do(f) })
			require.Equal(t, end.code, closeCode(t, mute), name)
			require.Zero(t, time.Since(began), name)
			require.Equal(t, end.code, closeCode(t, answers), name)
			require.LessOrEqual(t, time.Since(began), pause, name)
			synctest.Wait()
			require.Equal(t, 1, f.Stats().Connections, name)
			require.Zero(t, f.Stats().Subscriptions, name)
			pass(closeTimeout)
			require.Zero(t, f.Stats().Connections, name)
			over()
			require.LessOrEqual(t, time.Since(began), pause+closeTimeout, name)
		}, func(c *ws.Config) {
			c.SubscribeRate, c.CloseTimeout = ws.Rate{PerSecond: 0.01, Burst: 1}, closeTimeout
		})
	}
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
