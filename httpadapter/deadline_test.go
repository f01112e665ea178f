package httpadapter_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/httpadapter"
)

// pipes is a listener whose connections are in memory, where deadlines follow the clock of the bubble.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// client is a connection to a server that runs h.
type client struct {
	net.Conn
	in *bufio.Reader
}

// serve starts the server and connects to it.
func serve(t *testing.T, host *http.Server) client {
	t.Helper()
	p := &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})}
	var served sync.WaitGroup
	served.Go(func() { _ = host.Serve(p) })
	near, far := net.Pipe()
	p.accepted <- far
	t.Cleanup(func() {
		_ = near.Close()
		_ = host.Close()
		served.Wait()
	})
	return client{near, bufio.NewReader(near)}
}

// write sends a piece of a request.
func (c client) write(t *testing.T, lines ...string) {
	t.Helper()
	_, err := io.WriteString(c, strings.Join(lines, "\r\n"))
	require.NoError(t, err)
}

// answer reads a response and returns its status and body.
func (c client) answer(t *testing.T) (int, string) {
	t.Helper()
	res, err := http.ReadResponse(c.in, nil)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

func (c client) ends(t *testing.T) {
	t.Helper()
	_, err := c.in.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}

// half is a request whose body never comes to an end.
func half(method, target string) []string {
	return []string{
		method + " " + target + " HTTP/1.1", "Host: x", "Test-User: patient-1", "Content-Type: application/json", "Content-Length: 100", "", "{",
	}
}

func TestSlowBodiesEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		limit, host, want time.Duration
		request           []string
		status            int
	}{
		"by default":         {0, 0, 10 * time.Second, half("POST", messages), 408},
		"as configured":      {time.Second, 0, time.Second, half("PATCH", consultations+"/demo"), 408},
		"the host is faster": {0, 3 * time.Second, 3 * time.Second, half("POST", channelAuth), 408},
		"the host is slower": {0, time.Minute, 10 * time.Second, half("POST", messages), 408},
		// net/http reads what is left of a body before it sends the answer.
		"not read at all": {time.Second, 0, time.Second, half("DELETE", messages+"/unknown"), 404},
		"too large": {time.Second, 0, time.Second, []string{
			"POST " + messages + " HTTP/1.1", "Host: x", "Test-User: patient-1", "Content-Type: application/json", "Content-Length: 99999", "", "{",
		}, 413},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := setup(t, func(cfg *httpadapter.Config) { cfg.BodyTimeout = c.limit })
				conn := serve(t, &http.Server{Handler: b, ReadTimeout: c.host})
				start := time.Now()
				conn.write(t, c.request...)
				status, body := conn.answer(t)
				require.Equal(t, c.status, status, body)
				require.Equal(t, c.want, time.Since(start))
				if status == 408 {
					require.Contains(t, body, `"code":"timeout"`)
				}
				conn.ends(t)
				require.LessOrEqual(t, time.Since(start), 10*time.Second)
			})
		})
	}
}

// TestTheDeadlineOfABodyEndsWithIt keeps a request waiting for the store, and the connection idle, for longer than bodies
// may take.
func TestTheDeadlineOfABodyEndsWithIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, func(cfg *httpadapter.Config) { cfg.BodyTimeout = time.Second })
		b.store.fail = func(ctx context.Context) error {
			select {
			case <-time.After(20 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		conn := serve(t, &http.Server{Handler: b})
		const body = `{"consultationId":"demo","content":"x"}`
		for range 2 {
			conn.write(t, "POST "+messages+" HTTP/1.1", "Host: x", "Test-User: patient-1", "Content-Type: application/json", "Content-Length: 39", "", body)
			status, text := conn.answer(t)
			require.Equal(t, 201, status, text)
			<-time.After(time.Minute)
		}
	})
}

func TestBodiesWithoutALimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, func(cfg *httpadapter.Config) { cfg.BodyTimeout = -1 })
		conn := serve(t, &http.Server{Handler: b})
		conn.write(t, "POST "+messages+" HTTP/1.1", "Host: x", "Test-User: patient-1", "Content-Type: application/json", "Content-Length: 39", "", `{"consultationId":`)
		<-time.After(20 * time.Second)
		conn.write(t, `"demo","content":"x"}`)
		status, text := conn.answer(t)
		require.Equal(t, 201, status, text)
	})
}

// TestHostWithoutDeadlines is warned once.
func TestHostWithoutDeadlines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host *http.Server
		want int
	}{
		{&http.Server{}, 1},
		{&http.Server{IdleTimeout: time.Second}, 1},
		{&http.Server{ReadHeaderTimeout: time.Second}, 0},
		{&http.Server{ReadTimeout: time.Second}, 0},
		{nil, 0},
	} {
		var log bytes.Buffer
		b := setup(t, func(cfg *httpadapter.Config) { cfg.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		for range 2 {
			r := httptest.NewRequestWithContext(t.Context(), "GET", consultations, nil)
			r.Header.Set("Test-User", "patient-1")
			if c.host != nil {
				r = r.WithContext(context.WithValue(r.Context(), http.ServerContextKey, c.host))
			}
			b.ServeHTTP(httptest.NewRecorder(), r)
		}
		require.Equal(t, c.want, strings.Count(log.String(), "neither ReadHeaderTimeout nor ReadTimeout"), log.String())
	}
}
