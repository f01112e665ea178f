package ws_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// smallBuffers makes the kernel keep little for a connection, so that writes are cut short all the time.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(4096)
	}
	return conn, err
}

// startOn runs a server on connections of the given kind: "tcp", "small" buffers, or "tls" with small buffers. Unless they are changed, its
// times are longer than a test takes on the slowest machine: what a test does not read does not end because of them.
func startOn(t *testing.T, kind string, change ...func(*ws.Config)) *fixture {
	t.Helper()
	srv, err := ws.New(config(append([]func(*ws.Config){patient}, change...)...))
	require.NoError(t, err)
	host := httptest.NewUnstartedServer(srv)
	f := &fixture{Server: srv, t: t}
	f.dial = new(net.Dialer).DialContext
	small := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(4096)
		}
		return conn, err
	}
	switch kind {
	case "tls":
		host.Listener = smallBuffers{host.Listener}
		host.StartTLS()
		roots := host.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		f.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := small(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: "example.com"}), nil
		}
	case "small":
		host.Listener = smallBuffers{host.Listener}
		f.dial = small
		host.Start()
	default:
		host.Start()
	}
	f.base = strings.Replace(host.URL, "http", "ws", 1)
	t.Cleanup(func() {
		_ = srv.Shutdown(ended())
		host.Close()
	})
	return f
}

var connectionKinds = []string{"tcp", "small", "tls"}

// numbered makes an event whose size changes from one to the next.
func numbered(n int) realtime.Event {
	return realtime.Event{Channel: private, Name: "new-message",
		Data: fmt.Appendf(nil, `{"n":%d,"pad":"%s"}`, n, strings.Repeat("x", n*37%900))}
}

// TestTightLoop broadcasts far more than a queue holds, as fast as the client reads: half as many events are on their way
// to it as its queue has room for, since those that have just arrived may count still.
func TestTightLoop(t *testing.T) {
	t.Parallel()
	const n, room = 1000, 32
	for _, kind := range []string{"tcp", "tls"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f := startOn(t, kind)
			c := f.connect()
			f.subscribe(c, private)
			onTheirWay := make(chan struct{}, room)
			f.background(func() error {
				for i := range n {
					select {
					case onTheirWay <- struct{}{}:
					case <-t.Context().Done():
						return nil
					}
					ev := realtime.Event{Channel: private, Name: "new-message", Data: fmt.Appendf(nil, `{"n":%d}`, i)}
					if err := f.Broadcast(t.Context(), ev); err != nil {
						return err
					}
				}
				return nil
			})
			for i := range n {
				frame, err := c.NextEvent(t.Context())
				require.NoError(t, err)
				require.Equal(t, fmt.Sprintf(`{"n":%d}`, i), string(frame.Data))
				<-onTheirWay
			}
			require.Zero(t, f.Stats().SlowCloses)
		})
	}
}

// TestCutWrites has the kernel take parts of frames, and the path of a frame change between the socket and the queue
// over and over. Nothing may be lost, and no frame, the library's pongs included, may be inside another.
func TestCutWrites(t *testing.T) {
	t.Parallel()
	const n = 600
	for _, kind := range connectionKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f := startOn(t, kind, func(c *ws.Config) {
				c.MaxQueueFrames, c.MaxQueueBytes = 1<<20, 1<<30
				c.MessageRate, c.PingRate = ws.Rate{PerSecond: -1}, ws.Rate{PerSecond: -1}
			})
			c := f.connect()
			f.subscribe(c, private)
			sent := f.background(func() error {
				for i := range n {
					if err := f.Broadcast(t.Context(), numbered(i)); err != nil {
						return err
					}
				}
				return nil
			})
			for i := range n {
				if i%10 == 0 {
					ping := bytes.Repeat([]byte{'p'}, 125)
					require.NoError(t, c.SendFrame(t.Context(), realtimetest.OpPing, true, ping))
				}
				frame, err := c.NextEvent(t.Context())
				require.NoError(t, err)
				require.JSONEq(t, string(numbered(i).Data), string(frame.Data))
			}
			sent()
			require.NoError(t, c.Sync(t.Context()))
			// What is queued is counted until its write has returned, and the client may read it before that.
			require.Eventually(t, func() bool { return f.Stats().QueuedBytes == 0 }, 30*time.Second, time.Millisecond)
		})
	}
}

// TestOverflowKeepsFramesWhole closes clients that do not read in the middle of a frame: what they read afterwards is
// whole frames in order, then 4100.
func TestOverflowKeepsFramesWhole(t *testing.T) {
	t.Parallel()
	for _, kind := range connectionKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f := startOn(t, kind)
			c := f.connect()
			f.subscribe(c, private)
			sent := 0
			for ; f.Stats().SlowCloses == 0; sent++ {
				require.NoError(t, f.Broadcast(t.Context(), numbered(sent)))
				require.NoError(t, f.Flush(t.Context()))
			}
			received := 0
			for {
				frame, err := c.NextEvent(t.Context())
				if err != nil {
					var ce *realtimetest.CloseError
					require.ErrorAs(t, err, &ce)
					require.Equal(t, 4100, ce.Code)
					break
				}
				require.JSONEq(t, string(numbered(received).Data), string(frame.Data))
				received++
			}
			require.Less(t, received, sent)
			require.Positive(t, received)
			f.gone()
			require.Zero(t, f.Stats().QueuedBytes)
		})
	}
}

// gone waits until no connection is left.
func (f *fixture) gone() {
	for f.Stats().Connections > 0 {
		runtime.Gosched()
	}
}

// TestWriteTimeout cuts a client that does not read although its queue has room.
func TestWriteTimeout(t *testing.T) {
	t.Parallel()
	for _, kind := range connectionKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			log := newLogWatch("closed a slow connection")
			f := startOn(t, kind, func(c *ws.Config) {
				c.MaxQueueFrames, c.MaxQueueBytes = 1<<20, 1<<30
				c.WriteTimeout = 3 * time.Second // a write that need not wait is through by then on any machine
				c.Logger = slog.New(log)
			})
			c := f.connect()
			f.subscribe(c, private)
			for i := 0; f.Stats().QueuedBytes < 1<<20 && f.Stats().SlowCloses == 0; i++ { // the socket takes nothing any more
				require.NoError(t, f.Broadcast(t.Context(), numbered(i)))
				require.NoError(t, f.Flush(t.Context()))
			}
			log.wait(t)
			f.gone()
			require.EqualValues(t, 1, f.Stats().SlowCloses)
			require.Zero(t, f.Stats().QueuedBytes)
		})
	}
}

// logWatch is a log that tells when the server has written a certain line.
type logWatch struct {
	slog.Handler
	part string
	seen chan struct{}
}

func newLogWatch(part string) logWatch {
	return logWatch{slog.DiscardHandler, part, make(chan struct{}, 100)}
}

func (logWatch) Enabled(context.Context, slog.Level) bool { return true }

func (l logWatch) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, l.part) {
		select {
		case l.seen <- struct{}{}:
		default:
		}
	}
	return nil
}

// wait waits for one line more.
func (l logWatch) wait(t *testing.T) {
	t.Helper()
	select {
	case <-l.seen:
	case <-t.Context().Done():
		require.Fail(t, "the server has not logged it", l.part)
	}
}

// TestManyRequestsAtOnce has a client subscribe to all it may in one go, as pusher-js does when it reconnects. The
// answers are more than a queue holds.
func TestManyRequestsAtOnce(t *testing.T) {
	t.Parallel()
	const n = 100
	for _, kind := range connectionKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f := startOn(t, kind)
			c := f.connect()
			f.background(func() error {
				for i := range n {
					message := fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":"c-%d"}}`, i)
					if err := c.SendText(t.Context(), message); err != nil {
						return err
					}
				}
				return nil
			})
			for range n {
				frame, err := c.Next(t.Context())
				require.NoError(t, err)
				require.Equal(t, "pusher_internal:subscription_succeeded", frame.Event)
			}
		})
	}
}

// TestPingFlood has a client ping without reading the answers. Buffers of the usual size would take minutes to fill.
func TestPingFlood(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"small", "tls"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			log := newLogWatch("closed a slow connection")
			f := startOn(t, kind, func(c *ws.Config) {
				c.MessageRate, c.PingRate = ws.Rate{PerSecond: -1}, ws.Rate{PerSecond: -1}
				c.WriteTimeout = 3 * time.Second // it is read from no faster than it reads, so its queue does not overflow
				c.Logger = slog.New(log)
			})
			c := f.connect()
			sent := f.background(func() error {
				ping := make([]byte, 125)
				for c.SendFrame(t.Context(), realtimetest.OpPing, true, ping) == nil {
				}
				return nil
			})
			log.wait(t)
			c.Cut() // its last write may hang
			sent()
			f.gone()
			require.EqualValues(t, 1, f.Stats().SlowCloses)
		})
	}
}

// TestClosedDescriptors closes connections while events are written to them, and opens others, which get the same
// descriptors: nobody may read what is not theirs.
func TestClosedDescriptors(t *testing.T) {
	t.Parallel()
	f := startOn(t, "tcp", func(c *ws.Config) { c.MaxQueueFrames, c.MaxQueueBytes = 1<<20, 1<<30 })
	stop := make(chan struct{})
	var senders []func()
	for range 2 {
		senders = append(senders, f.background(func() error {
			for {
				select {
				case <-stop:
					return nil
				default:
				}
				if err := f.Broadcast(t.Context(), numbered(100)); err != nil {
					return err
				}
			}
		}))
	}
	for range 20 {
		c := f.connect()
		f.subscribe(c, private)
		var pipe sync.WaitGroup
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		pipe.Go(func() {
			if conn, err := listener.Accept(); err == nil {
				_ = conn.Close()
			}
		})
		c.Cut()
		conn, err := net.Dial("tcp", listener.Addr().String())
		require.NoError(t, err)
		got, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.Empty(t, got)
		pipe.Wait()
		require.NoError(t, errors.Join(conn.Close(), listener.Close()))
	}
	close(stop)
	for _, wait := range senders {
		wait()
	}
}

// TestBroadcastWaitsForRoom fills the fan-out, which then has Broadcast wait, no longer than its context.
func TestBroadcastWaitsForRoom(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		f.subscribe(c, private)
		f.Stall()
		ev := realtime.Event{Channel: private, Name: "new-message", Data: []byte("1")}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, f.Broadcast(ctx, ev), context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(began))

		result := make(chan error, 1)
		ev.Data = []byte("2")
		go func() { result <- f.Broadcast(t.Context(), ev) }()
		synctest.Wait()
		f.Resume()
		require.NoError(t, <-result)
		frame, err := c.NextEvent(t.Context())
		require.NoError(t, err)
		require.Equal(t, "2", string(frame.Data))
	})
}

// TestLateSubscriber subscribes while an event waits in the fan-out: it is older than the subscription.
func TestLateSubscriber(t *testing.T) {
	t.Parallel()
	f := start(t)
	early, late, left := f.connect(), f.connect(), f.connect()
	f.subscribe(early, private)
	f.subscribe(left, private)
	f.Hold()
	f.broadcast(private, "1")
	f.subscribe(late, private)
	require.NoError(t, left.Unsubscribe(t.Context(), private))
	f.subscribe(left, private)
	f.broadcast(private, "2")
	except := realtime.Event{Channel: private, Name: "new-message", Data: []byte("3"), Except: early.SocketID()}
	require.NoError(t, f.Broadcast(t.Context(), except))
	f.broadcast(private, "4")
	f.Resume()
	for c, want := range map[*realtimetest.Client][]string{early: {"1", "2", "4"}, late: {"2", "3", "4"}, left: {"2", "3", "4"}} {
		for _, data := range want {
			frame, err := c.NextEvent(t.Context())
			require.NoError(t, err)
			require.Equal(t, data, string(frame.Data))
		}
	}
}

// TestQueueMemory closes the clients that most waits for when there is too much for all, and lets nobody new in before.
func TestQueueMemory(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		most, less := f.connect(), f.connect()
		f.subscribe(most, private, lobby)
		f.subscribe(less, private)
		big := `"` + strings.Repeat("x", 4000) + `"`
		f.broadcast(lobby, big)
		synctest.Wait() // it is being written now, and cannot be dropped
		f.broadcast(lobby, big)
		f.broadcast(private, big)
		synctest.Wait()
		require.Zero(t, f.Stats().SlowCloses)
		require.Greater(t, f.Stats().QueuedBytes, 16_000)
		_, err := f.dialPath(path, nil)
		var ce *realtimetest.CloseError
		require.ErrorAs(t, err, &ce)
		require.Equal(t, 4100, ce.Code)

		f.broadcast(private, big) // more than 20,000 bytes now
		synctest.Wait()
		require.EqualValues(t, 1, f.Stats().SlowCloses)
		require.Equal(t, 1, f.Subscribers(private))
		require.Equal(t, 4100, closeCode(t, most))
		for range 2 {
			_, err := less.NextEvent(t.Context())
			require.NoError(t, err)
		}
	}, func(c *ws.Config) { c.MaxQueueMemory = 20_000 })
}

// TestBytesAreCounted compares the figures with what goes over the line.
func TestBytesAreCounted(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c, tap := f.connectTapped()
		_, greeting, _ := bytes.Cut(tap.Bytes(), []byte("\r\n\r\n"))
		require.EqualValues(t, len(greeting), f.Stats().BytesOut)
		require.Zero(t, f.Stats().BytesIn)
		tap.Reset()
		before := f.Stats()
		require.NoError(t, c.SendFrame(t.Context(), realtimetest.OpPing, true, []byte("hello")))
		require.NoError(t, c.Sync(t.Context()))
		f.subscribe(c, private)
		f.broadcast(private, `{"n":1}`)
		_, err := c.NextEvent(t.Context())
		require.NoError(t, err)
		synctest.Wait()
		require.EqualValues(t, tap.Len(), f.Stats().BytesOut-before.BytesOut)
		require.Greater(t, f.Stats().BytesIn, uint64(11))
		require.Zero(t, f.Stats().QueuedBytes)
	})
}
