package ws_test

import (
	"bytes"
	"context"
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

const (
	appKey  = "app-key"
	path    = "/app/" + appKey + "?protocol=7&client=go&version=1.0.0"
	lobby   = realtime.Channel("lobby")
	private = realtime.Channel("private-consultation-1")
)

// fixture is a server that can be dialled, and its address.
type fixture struct {
	*ws.Server
	t    *testing.T
	base string // ws://host
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

func config(change ...func(*ws.Config)) ws.Config {
	cfg := ws.Config{
		AppID: "1", Key: appKey, Secret: "app-secret",
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, f := range change {
		f(&cfg)
	}
	return cfg
}

// start runs a server on the loopback interface.
func start(t *testing.T, change ...func(*ws.Config)) *fixture {
	t.Helper()
	srv, err := ws.New(config(change...))
	require.NoError(t, err)
	host := httptest.NewServer(srv)
	f := &fixture{Server: srv, t: t, base: "ws" + strings.TrimPrefix(host.URL, "http")}
	t.Cleanup(func() {
		_ = srv.Shutdown(ended())
		host.Close()
	})
	return f
}

// inBubble runs a test in a synctest bubble, with a server on connections that are pipes.
func inBubble(t *testing.T, test func(*testing.T, *fixture), change ...func(*ws.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv, err := ws.New(config(change...))
		require.NoError(t, err)
		listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		host := &http.Server{Handler: srv}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = host.Serve(listener)
		}()
		defer func() {
			_ = srv.Shutdown(ended())
			_ = host.Close()
			<-done
			pass(time.Second) // readers that pause find the end
		}()
		test(t, &fixture{Server: srv, t: t, base: "ws://murph.test", dial: listener.dial})
	})
}

// ended is a context for a Shutdown that does not wait.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// connect opens a connection that stays open to the end of the test.
func (f *fixture) connect() *realtimetest.Client {
	f.t.Helper()
	c, err := f.dialPath(path, nil)
	require.NoError(f.t, err)
	return c
}

func (f *fixture) dialPath(path string, opts *realtimetest.DialOptions) (*realtimetest.Client, error) {
	if opts == nil {
		opts = &realtimetest.DialOptions{}
	}
	if opts.Dial == nil {
		opts.Dial = f.dial
	}
	c, err := realtimetest.Dial(f.t.Context(), f.base+path, opts)
	if err == nil {
		f.t.Cleanup(c.Cut)
	}
	return c, err
}

// connectTapped opens a connection of a mute client, and shows what the server sends on it.
func (f *fixture) connectTapped() (*realtimetest.Client, *bytes.Buffer) {
	f.t.Helper()
	tap := new(bytes.Buffer)
	c, err := f.dialPath(path, &realtimetest.DialOptions{
		Mute: true,
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := f.dial(ctx, network, addr)
			return tapped{conn, tap}, err
		},
	})
	require.NoError(f.t, err)
	return c, tap
}

// tapped keeps what is read from a connection.
type tapped struct {
	net.Conn
	read *bytes.Buffer
}

func (c tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Write(p[:n])
	return n, err
}

// subscribe signs and subscribes.
func (f *fixture) subscribe(c *realtimetest.Client, channels ...realtime.Channel) {
	f.t.Helper()
	for _, ch := range channels {
		require.NoError(f.t, c.Subscribe(f.t.Context(), ch, f.grant(c, ch)))
	}
}

func (f *fixture) grant(c *realtimetest.Client, ch realtime.Channel) realtime.Grant {
	f.t.Helper()
	if ch.Kind() == realtime.KindPublic {
		return realtime.Grant{}
	}
	var m *realtime.Member
	if ch.Kind() == realtime.KindPresence {
		m = &realtime.Member{UserID: "user-" + string(c.SocketID())}
	}
	return f.grantFor(c, ch, m)
}

func (f *fixture) grantFor(c *realtimetest.Client, ch realtime.Channel, m *realtime.Member) realtime.Grant {
	f.t.Helper()
	g, err := f.SignChannel(c.SocketID(), ch, m)
	require.NoError(f.t, err)
	return g
}

// join subscribes as a user.
func (f *fixture) join(c *realtimetest.Client, ch realtime.Channel, userID string) {
	f.t.Helper()
	require.NoError(f.t, c.Subscribe(f.t.Context(), ch, f.grantFor(c, ch, &realtime.Member{UserID: userID})))
}

func (f *fixture) broadcast(ch realtime.Channel, data string) {
	f.t.Helper()
	ev := realtime.Event{Channel: ch, Name: "new-message", Data: []byte(data)}
	require.NoError(f.t, f.Broadcast(f.t.Context(), ev))
}

// background runs something beside the test, to its end at the latest. What it returns fails the test, unless that is
// over already.
func (f *fixture) background(run func() error) (wait func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := run(); err != nil && f.t.Context().Err() == nil {
			f.t.Error(err)
		}
	})
	f.t.Cleanup(wg.Wait)
	return wg.Wait
}

// closeCode reads until the server closes the connection.
func closeCode(t *testing.T, c *realtimetest.Client) int {
	t.Helper()
	for {
		if _, err := c.Next(t.Context()); err != nil {
			var ce *realtimetest.CloseError
			require.ErrorAs(t, err, &ce)
			return ce.Code
		}
	}
}

// pipeListener hands out one end of a pipe for every dial.
type pipeListener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// waitConnections waits until the server has noticed that connections have ended.
func (f *fixture) waitConnections(n int) {
	f.t.Helper()
	for f.Stats().Connections != n {
		require.NoError(f.t, f.t.Context().Err())
		runtime.Gosched()
	}
}

// syncBuffer is a log that can be read while it is written.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
