package ws_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
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
