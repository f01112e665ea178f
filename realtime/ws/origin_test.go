package ws_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

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
