package ws_test

import (
	"bufio"
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
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

func TestGreeting(t *testing.T) {
	t.Parallel()
	f := start(t)
	first, second := f.connect(), f.connect()
	require.Regexp(t, `\A\d+\.\d+\z`, first.SocketID())
	require.NotEqual(t, first.SocketID(), second.SocketID())
	require.Equal(t, 30*time.Second, first.ActivityTimeout())
	require.NoError(t, first.Sync(t.Context()))
	require.Equal(t, 2, f.Stats().Connections)
}

// TestRefusals is the table of close codes: the upgrade always succeeds, since pusher-js can read nothing else. An error
// frame with the same code comes in front, for clients that read only that.
func TestRefusals(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) {
		c.AllowedOrigins = []string{"https://app.example.org", "https://*.example.net:8443"}
	})
	origin := func(o string) http.Header { return http.Header{"Origin": {o}} }
	for name, c := range map[string]struct {
		path   string
		header http.Header
		want   int // 0 is an established connection
	}{
		"known key":                  {path: path},
		"protocol 5":                 {path: "/app/app-key?protocol=5"},
		"protocol 6":                 {path: "/app/app-key?protocol=6"},
		"escaped key":                {path: "/app/app%2Dkey?protocol=7"},
		"trailing slash":             {path: "/app/app-key/?protocol=7"},
		"a prefix":                   {path: "/some/app/prefix/app/app-key?protocol=7"},
		"unknown key":                {path: "/app/other?protocol=7", want: 4001},
		"no key":                     {path: "/app/?protocol=7", want: 4001},
		"no path":                    {path: "/?protocol=7", want: 4005},
		"more path":                  {path: "/app/app-key/more?protocol=7", want: 4005},
		"no protocol":                {path: "/app/app-key", want: 4008},
		"old protocol":               {path: "/app/app-key?protocol=4", want: 4007},
		"new protocol":               {path: "/app/app-key?protocol=8", want: 4007},
		"protocol that is no number": {path: "/app/app-key?protocol=x", want: 4007},
		"bad version":                {path: "/app/app-key?protocol=7&version=%3Cscript%3E", want: 4006},
		"long version":               {path: "/app/app-key?protocol=7&version=" + strings.Repeat("1", 64)},
		"too long a version":         {path: "/app/app-key?protocol=7&version=" + strings.Repeat("1", 65), want: 4006},
		"allowed origin":             {path: path, header: origin("https://app.example.org")},
		"allowed origin, upper":      {path: path, header: origin("HTTPS://App.Example.org")},
		"allowed subdomain":          {path: path, header: origin("https://a.b.example.net:8443")},
		"own host":                   {path: path, header: origin(strings.Replace(f.base, "ws", "http", 1))},
		"other origin":               {path: path, header: origin("https://evil.example"), want: 4009},
		"other scheme":               {path: path, header: origin("http://app.example.org"), want: 4009},
		"other port":                 {path: path, header: origin("https://a.example.net"), want: 4009},
		"bare domain":                {path: path, header: origin("https://example.net:8443"), want: 4009},
		"suffix without a dot":       {path: path, header: origin("https://evilexample.net:8443"), want: 4009},
		"own host, other scheme":     {path: path, header: origin(strings.Replace(f.base, "ws", "ftp", 1)), want: 4009},
		"own host, with a user":      {path: path, header: origin(strings.Replace(f.base, "ws://", "http://x@", 1)), want: 4009},
		"own host, with a query":     {path: path, header: origin(strings.Replace(f.base, "ws", "http", 1) + "?"), want: 4009},
		"the scheme's port":          {path: path, header: origin("https://app.example.org:443")},
		"another scheme's port":      {path: path, header: origin("https://app.example.org:80"), want: 4009},
		"sandboxed page":             {path: path, header: origin("null"), want: 4009},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tap := new(bytes.Buffer)
			client, err := f.dialPath(c.path, &realtimetest.DialOptions{
				Header: c.header,
				Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := new(net.Dialer).DialContext(ctx, network, addr)
					return tapped{conn, tap}, err
				},
			})
			if c.want == 0 {
				require.NoError(t, err)
				require.NoError(t, client.Sync(t.Context()))
				return
			}
			var ce *realtimetest.CloseError
			require.ErrorAs(t, err, &ce)
			require.Equal(t, c.want, ce.Code)
			require.NotEmpty(t, ce.Reason)
			message := fmt.Sprintf(`{"event":"pusher:error","data":{"code":%d,"message":%q}}`, c.want, ce.Reason)
			_, frames, _ := strings.Cut(tap.String(), "\r\n\r\n")
			require.True(t, strings.HasPrefix(frames, "\x81"+string([]byte{byte(len(message))})+message+"\x88"), "%q", frames)
		})
	}
}

// TestOwnHost compares origins with Host headers, of which either may have the
// scheme's own port.
func TestOwnHost(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) { c.AllowedOrigins = []string{"https://cdn.example:443", "capacitor://localhost"} })
	for _, c := range []struct {
		origin, host string
		want         int
	}{
		{"https://h.example", "h.example", 0}, {"https://h.example", "h.example:443", 0}, {"https://h.example:443", "h.example", 0},
		{"https://H.example", "h.EXAMPLE:443", 0}, {"http://h.example", "h.example:80", 0}, {"http://h.example:80", "h.example", 0},
		{"http://h.example:8080", "h.example:8080", 0}, {"https://[::1]", "[::1]:443", 0},
		{"https://h.example", "h.example:80", 4009}, {"http://h.example", "h.example:443", 4009},
		{"https://h.example:8443", "h.example", 4009}, {"https://other.example", "h.example", 4009},
		{"ftp://h.example", "h.example", 4009}, {"chrome-extension://h.example", "h.example", 4009},
		{"https://cdn.example", "h.example", 0}, {"capacitor://localhost", "h.example", 0},
	} {
		require.Equal(t, c.want, f.dialAs(c.origin, c.host), "%s to %s", c.origin, c.host)
	}
}

// dialAs connects as a page and returns the close code, or 0. host is the Host
// header, which a proxy may have rewritten.
func (f *fixture) dialAs(origin, host string) int {
	f.t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = host
		f.ServeHTTP(w, r)
	}))
	defer srv.Close()
	c, err := realtimetest.Dial(f.t.Context(), srv.URL+path, &realtimetest.DialOptions{Header: http.Header{"Origin": {origin}}})
	if err == nil {
		c.Cut()
		return 0
	}
	var ce *realtimetest.CloseError
	require.ErrorAs(f.t, err, &ce)
	return ce.Code
}

// TestRefusedOriginIsLogged has a proxy that rewrites the Host header.
func TestRefusedOriginIsLogged(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	f := start(t, func(c *ws.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	for range 3 {
		require.Equal(t, 4009, f.dialAs("https://app.example.org", "backend:8080"))
	}
	require.Equal(t, 1, strings.Count(log.String(), "level=WARN msg=\"ws: a page"), log.String())
	for _, part := range []string{"setting=Config.AllowedOrigins", "origin=https://app.example.org", "host=backend:8080", "pass the header on"} {
		require.Contains(t, log.String(), part)
	}
}

func TestAnyOrigin(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) { c.AllowedOrigins = []string{"*"} })
	_, err := f.dialPath(path, &realtimetest.DialOptions{Header: http.Header{"Origin": {"https://any.example"}}})
	require.NoError(t, err)
}

func TestCapacity(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) { c.MaxConnections = 1 })
	f.connect()
	_, err := f.dialPath(path, nil)
	var ce *realtimetest.CloseError
	require.ErrorAs(t, err, &ce)
	require.Equal(t, 4100, ce.Code) // comes back after a second
	require.Equal(t, 1, f.Stats().Connections)
	require.EqualValues(t, 1, f.Stats().RefusedConnections)
}

// TestRequestsThatAreNoHandshake are the only ones that get an HTTP status.
func TestRequestsThatAreNoHandshake(t *testing.T) {
	t.Parallel()
	f := start(t)
	for name, c := range map[string]struct {
		method, version string
		change          func(http.Header)
		want            int
	}{
		"another method":    {"POST", "HTTP/1.1", nil, http.StatusMethodNotAllowed},
		"HTTP/1.0":          {"GET", "HTTP/1.0", nil, http.StatusUpgradeRequired},
		"another upgrade":   {"GET", "HTTP/1.1", func(h http.Header) { h.Set("Upgrade", "h2c") }, http.StatusUpgradeRequired},
		"an old draft":      {"GET", "HTTP/1.1", func(h http.Header) { h.Set("Sec-WebSocket-Version", "8") }, http.StatusBadRequest},
		"no key":            {"GET", "HTTP/1.1", func(h http.Header) { h.Del("Sec-WebSocket-Key") }, http.StatusBadRequest},
		"a key of one byte": {"GET", "HTTP/1.1", func(h http.Header) { h.Set("Sec-WebSocket-Key", "AA==") }, http.StatusBadRequest},
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(f.base, "ws://"))
		require.NoError(t, err, name)
		header := http.Header{"Host": {"murph.test"}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"},
			"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}}
		if c.change != nil {
			c.change(header)
		}
		var request bytes.Buffer
		fmt.Fprintf(&request, "%s %s %s\r\n", c.method, path, c.version)
		require.NoError(t, header.Write(&request))
		request.WriteString("\r\n")
		_, err = conn.Write(request.Bytes())
		require.NoError(t, err, name)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, name)
		require.Equal(t, c.want, res.StatusCode, name)
		require.NoError(t, errors.Join(res.Body.Close(), conn.Close()), name)
	}
	require.Zero(t, f.Stats().RefusedConnections)
}

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

func TestTLS(t *testing.T) {
	t.Parallel()
	srv, err := ws.New(config())
	require.NoError(t, err)
	host := httptest.NewTLSServer(srv)
	t.Cleanup(host.Close)
	t.Cleanup(func() { require.NoError(t, srv.Shutdown(context.Background())) })
	roots := host.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	dialer := &tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: "example.com"}}
	c, err := realtimetest.Dial(t.Context(), "wss"+strings.TrimPrefix(host.URL, "https")+path,
		&realtimetest.DialOptions{Dial: dialer.DialContext})
	require.NoError(t, err)
	defer c.Close()
	f := &fixture{Server: srv, t: t}
	f.subscribe(c, private)
	f.broadcast(private, `{"n":1}`)
	frame, err := c.NextEvent(t.Context())
	require.NoError(t, err)
	require.JSONEq(t, `{"n":1}`, string(frame.Data))
}

// eager sends a ping of the protocol in the same packet as the request.
type eager struct {
	net.Conn
	sent bool
}

func (c *eager) Write(p []byte) (int, error) {
	if c.sent {
		return c.Conn.Write(p)
	}
	c.sent = true
	const ping = `{"event":"pusher:ping"}`
	frame := append([]byte{0x81, 0x80 | byte(len(ping)), 0, 0, 0, 0}, ping...)
	if _, err := c.Conn.Write(append(append([]byte(nil), p...), frame...)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func TestEarlyData(t *testing.T) {
	t.Parallel()
	f := start(t)
	c, err := f.dialPath(path, &realtimetest.DialOptions{
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			return &eager{Conn: conn}, err
		},
	})
	require.NoError(t, err)
	frame, err := c.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, "pusher:pong", frame.Event)
}

func TestConfig(t *testing.T) {
	t.Parallel()
	_, err := ws.New(ws.Config{})
	require.ErrorContains(t, err, "Config.AppID")
	require.ErrorContains(t, err, "Config.Key")
	require.ErrorContains(t, err, "Config.Secret")
	_, err = ws.New(config(func(c *ws.Config) { c.Key = "a/b" }))
	require.ErrorContains(t, err, "Config.Key")
	_, err = ws.New(config(func(c *ws.Config) { c.AllowedOrigins = []string{"example.org"} }))
	require.ErrorContains(t, err, "AllowedOrigins")
	_, err = ws.New(config(func(c *ws.Config) { c.ActivityTimeout = 1500 * time.Millisecond }))
	require.ErrorContains(t, err, "ActivityTimeout")
	_, err = ws.New(config(func(c *ws.Config) { c.MaxChannels = -1 }))
	require.ErrorContains(t, err, "limit")
}
