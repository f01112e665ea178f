package ws_test

import (
	"bufio"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
	"github.com/murph-chat/murph/realtime/ws"
)

// unread is a body that must not be read.
type unread struct{ t *testing.T }

func (b unread) Read([]byte) (int, error) {
	b.t.Error("the body of an unsigned call was read")
	return 0, io.EOF
}

func (b unread) Close() error { return nil }

func TestAPIReadsNoUnsignedBody(t *testing.T) {
	t.Parallel()
	f := start(t)
	call := f.caller()
	for name, change := range map[string]func(url.Values){
		"unsigned":       func(q url.Values) { clear(q) },
		"signature":      func(q url.Values) { q.Set("auth_signature", strings.Repeat("0", 64)) },
		"timestamp":      func(q url.Values) { q.Set("auth_timestamp", "1") },
		"another digest": func(q url.Values) { q.Set("body_md5", strings.Repeat("0", 32)) },
	} {
		r := call.sign("POST", "/apps/1/events", `{}`)
		q := r.URL.Query()
		change(q)
		r.URL.RawQuery = q.Encode()
		r.Body = unread{t}
		status, answer := call.send(r)
		require.Equal(t, 401, status, "%s: %s", name, answer)
	}
}

// TestAPIComparesEmptyBodies signs calls without a body, with and without a
// digest.
func TestAPIComparesEmptyBodies(t *testing.T) {
	t.Parallel()
	f := start(t)
	call := f.caller()
	empty, other := fmt.Sprintf("%x", md5.Sum(nil)), fmt.Sprintf("%x", md5.Sum([]byte("{}")))
	const terminate, channels = "/apps/1/users/7/terminate_connections", "/apps/1/channels"
	for _, c := range []struct {
		method, path, digest string
		want                 int
	}{
		{"GET", channels, "", 200}, {"GET", channels, "?body_md5=" + empty, 200}, {"GET", channels, "?body_md5=" + other, 401},
		{"GET", channels, "?body_md5=", 401},
		{"POST", terminate, "", 200}, {"POST", terminate, "?body_md5=" + empty, 200}, {"POST", terminate, "?body_md5=" + other, 401},
		{"POST", terminate, "?body_md5=", 401},
	} {
		status, answer := call.do(c.method, c.path+c.digest, "")
		require.Equal(t, c.want, status, "%s %s%s: %s", c.method, c.path, c.digest, answer)
	}
	r := call.sign("GET", channels, "")
	r.Body = io.NopCloser(strings.NewReader("{}"))
	status, _ := call.send(r)
	require.Equal(t, 401, status, "a body that was not signed")
}

// TestAPIParametersAreOneReading regroups the parameters of a signed call into
// others with the same string to sign.
func TestAPIParametersAreOneReading(t *testing.T) {
	t.Parallel()
	f := start(t)
	c := f.connect()
	f.subscribe(c, lobby)
	call := f.caller()
	const path = "/apps/1/channels"
	r := call.sign("GET", path+"?filter_by_prefix=lob&info=subscription_count", "")
	q := r.URL.Query()
	q.Set("filter_by_prefix", "lob&info="+q.Get("info"))
	q.Del("info")
	r.URL.RawQuery = q.Encode()
	status, answer := call.send(r)
	require.Equal(t, 401, status, answer)

	r = call.sign("GET", path+"?info=subscription_count", "")
	r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "info=", "INFO=", 1)
	status, answer = call.send(r)
	require.Equal(t, 200, status, answer)
	require.Equal(t, `{"channels":{"lobby":{"subscription_count":1}}}`, answer, "a name in upper case is the same parameter")
}

// TestAPISlowBodies has callers send the head of a call and nothing more.
func TestAPISlowBodies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		secret      string
		readTimeout time.Duration // the host's
		want        int
		after       time.Duration
	}{
		"signed":               {"app-secret", 0, 408, 15 * time.Second},
		"unsigned":             {"wrong", 0, 401, 15 * time.Second},
		"the host's own limit": {"app-secret", time.Minute, 408, time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			srv, err := ws.New(config())
			require.NoError(t, err)
			listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
			host := &http.Server{Handler: srv.API(), ReadTimeout: c.readTimeout}
			done := make(chan error, 1)
			go func() { done <- host.Serve(listener) }()
			conn, err := listener.dial(t.Context(), "", "")
			require.NoError(t, err)
			began := time.Now()
			creds := pusherproto.Credentials{Key: appKey, Secret: c.secret}
			q := creds.SignRequest(pusherproto.Request{Method: "POST", Path: "/apps/1/events", Body: []byte(`{}`)}, began)
			_, err = fmt.Fprintf(conn, "POST /apps/1/events?%s HTTP/1.1\r\nHost: murph.test\r\nContent-Length: 2\r\n\r\n{", q.Encode())
			require.NoError(t, err)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			require.Equal(t, c.want, res.StatusCode, name)
			require.Equal(t, c.after, time.Since(began), name)
			require.NoError(t, errors.Join(res.Body.Close(), conn.Close(), host.Close()))
			require.ErrorIs(t, <-done, http.ErrServerClosed)
		})
	}
}

// TestAPIBodyTimeEnds has a call that takes longer than its body may.
func TestAPIBodyTimeEnds(t *testing.T) {
	t.Parallel()
	f := start(t)
	call := f.caller()
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	f.API().ServeHTTP(w, call.sign("POST", "/apps/1/events", lobbyEvent("1")))
	require.Equal(t, 200, w.Code)
	require.Len(t, w.set, 2)
	require.False(t, w.set[0].IsZero())
	require.True(t, w.set[1].IsZero(), "none is left when the call is served")
}

// deadlines is a ResponseWriter that keeps the read deadlines it is given.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.set = append(d.set, t)
	return nil
}
