package ws_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// unwrapping is middleware like that of many logging packages: it hides Hijack and offers Unwrap.
type unwrapping struct{ http.ResponseWriter }

func (w unwrapping) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// delaying is middleware that compresses: it writes no header before there is a
// body.
type delaying struct{ unwrapping }

func (w delaying) WriteHeader(int) {}

func (w delaying) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// asserting is middleware that takes a Hijack method for granted.
type asserting struct{ unwrapping }

func (w asserting) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.ResponseWriter.(http.Hijacker).Hijack()
}

// closed is middleware that lets nobody through.
type closed struct{ w http.ResponseWriter }

func (w closed) Header() http.Header         { return w.w.Header() }
func (w closed) WriteHeader(status int)      { w.w.WriteHeader(status) }
func (w closed) Write(p []byte) (int, error) { return w.w.Write(p) }

// TestMounts connects through what hosts put in front of a handler.
func TestMounts(t *testing.T) {
	t.Parallel()
	srv, err := ws.New(config())
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("GET /app/{key}", srv)
	mux.Handle("GET /socket/{key}", srv)
	mux.Handle("/prefix/", srv)
	mux.Handle("/stripped/", http.StripPrefix("/stripped", srv))
	mux.HandleFunc("/wrapped/", func(w http.ResponseWriter, r *http.Request) {
		srv.ServeHTTP(unwrapping{unwrapping{w}}, r)
	})
	host := httptest.NewServer(mux)
	t.Cleanup(host.Close)
	t.Cleanup(func() { require.NoError(t, srv.Shutdown(context.Background())) })
	mux.HandleFunc("/delayed/", func(w http.ResponseWriter, r *http.Request) {
		srv.ServeHTTP(delaying{unwrapping{w}}, r)
	})
	mux.HandleFunc("/asserted/", func(w http.ResponseWriter, r *http.Request) {
		srv.ServeHTTP(asserting{unwrapping{unwrapping{w}}}, r)
	})
	for _, mount := range []string{
		"/app", "/socket", "/prefix/app", "/stripped/app", "/wrapped/app", "/delayed/app", "/asserted/app",
	} {
		c, err := realtimetest.Dial(t.Context(), host.URL+mount+"/app-key?protocol=7", nil)
		require.NoError(t, err, mount)
		require.NoError(t, c.Sync(t.Context()), mount)
		c.Close()
	}
}

func TestNoHandshake(t *testing.T) {
	t.Parallel()
	srv, err := ws.New(config())
	require.NoError(t, err)
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", path, 426}, {"GET", "/app/other", 426}, {"GET", "/prefix" + path, 426},
		{"POST", path, 405}, {"HEAD", path, 405},
		{"GET", "/", 404}, {"POST", "/", 404}, {"GET", "/app", 404}, {"GET", "/app/a/b", 404}, {"GET", "/favicon.ico", 404},
	} {
		rec := httptest.NewRecorder()
		srv.ServeHTTP(rec, httptest.NewRequest(c.method, c.path, nil))
		require.Equal(t, c.want, rec.Code, "%s %s", c.method, c.path)
		require.Equal(t, c.want == 405, rec.Header().Get("Allow") == "GET")
	}

	req := httptest.NewRequest(http.MethodGet, path, nil)
	req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}}
	rec := httptest.NewRecorder() // cannot be hijacked
	srv.ServeHTTP(rec, req)
	require.Equal(t, http.StatusNotImplemented, rec.Code)
	require.Empty(t, rec.Header().Get("Upgrade"))
}

// TestMiddlewareInTheWay is told to the operator, who sees no more than a status
// otherwise.
func TestMiddlewareInTheWay(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	srv, err := ws.New(config(func(c *ws.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) }))
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("/closed/", func(w http.ResponseWriter, r *http.Request) {
		srv.ServeHTTP(asserting{unwrapping{closed{w}}}, r)
	})
	mux.Handle("/timeout/", http.TimeoutHandler(srv, time.Minute, ""))
	host := httptest.NewServer(mux)
	t.Cleanup(host.Close)
	for _, mount := range []string{"/closed", "/closed", "/timeout"} {
		_, err := realtimetest.Dial(t.Context(), host.URL+mount+path, nil)
		require.ErrorContains(t, err, "501", mount)
	}
	require.Equal(t, 1, strings.Count(log.String(), "response_writer="), log.String())
	require.Contains(t, log.String(), "response_writer=ws_test.closed")
	require.Contains(t, log.String(), "Mount the socket outside of that middleware")
}

// TestHandshakeKeepsHeaders has middleware set a cookie.
func TestHandshakeKeepsHeaders(t *testing.T) {
	t.Parallel()
	srv, err := ws.New(config())
	require.NoError(t, err)
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "renewed"})
		w.Header().Set("Content-Type", "text/html")
		srv.ServeHTTP(w, r)
	}))
	t.Cleanup(host.Close)
	t.Cleanup(func() { _ = srv.Shutdown(ended()) })
	conn, err := net.Dial("tcp", host.Listener.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: murph.test\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	require.NoError(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, 101, res.StatusCode)
	require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", res.Header.Get("Sec-WebSocket-Accept"))
	require.Equal(t, "websocket", res.Header.Get("Upgrade"))
	require.Equal(t, "session=renewed", res.Header.Get("Set-Cookie"))
	require.Empty(t, res.Header.Get("Content-Type"))
	require.NoError(t, conn.Close())
}
