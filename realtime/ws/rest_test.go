package ws_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// caller makes calls of a server's HTTP API, without a network.
type caller struct {
	t     *testing.T
	api   http.Handler
	creds pusherproto.Credentials
	now   time.Time // the next call's; every call has a second of its own
}

func (f *fixture) caller() *caller {
	return &caller{
		t: f.t, api: f.API(), creds: pusherproto.Credentials{Key: appKey, Secret: "app-secret"},
		now: time.Now().Add(-500 * time.Second),
	}
}

// do signs a call and returns its status and body. The path may have a query.
func (c *caller) do(method, path, body string) (int, string) {
	c.t.Helper()
	return c.send(c.sign(method, path, body))
}

func (c *caller) sign(method, path, body string) *http.Request {
	c.t.Helper()
	u, err := url.Parse(path)
	require.NoError(c.t, err)
	c.now = c.now.Add(time.Second)
	req := pusherproto.Request{Method: method, Path: u.EscapedPath(), Query: u.Query(), Body: []byte(body)}
	u.RawQuery = c.creds.SignRequest(req, c.now).Encode()
	return httptest.NewRequestWithContext(c.t.Context(), method, u.String(), strings.NewReader(body))
}

func (c *caller) send(r *http.Request) (int, string) {
	c.t.Helper()
	answer := httptest.NewRecorder()
	c.api.ServeHTTP(answer, r)
	require.Empty(c.t, answer.Header().Get("Access-Control-Allow-Origin"))
	require.Equal(c.t, "no-store", answer.Header().Get("Cache-Control"))
	if answer.Code == http.StatusOK {
		require.Equal(c.t, "application/json", answer.Header().Get("Content-Type"))
	}
	return answer.Code, strings.TrimSuffix(answer.Body.String(), "\n")
}

// again copies a request, so that it can be sent twice.
func again(t *testing.T, r *http.Request, body string) *http.Request {
	t.Helper()
	return httptest.NewRequestWithContext(t.Context(), r.Method, r.URL.String(), strings.NewReader(body))
}

func TestAPIAnswers(t *testing.T) {
	t.Parallel()
	f := start(t)
	c := f.connect()
	f.subscribe(c, lobby, private)
	call := f.caller()
	event := func(more string) string { return `{"name":"e","data":"{}"` + more + `}` }
	list := func(n int, item string) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }
	numbered := func(n int) string {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf(`"c%d"`, i))
		}
		return strings.Join(names, ",")
	}
	const events, batch, channels = "/apps/1/events", "/apps/1/batch_events", "/apps/1/channels"
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		answer                   string // a beginning, or all of it for 200
	}{
		{"event", "POST", events, event(`,"channels":["a"]`), 200, `{}`},
		{"event for one channel", "POST", events, event(`,"channel":"a"`), 200, `{}`},
		{"100 channels", "POST", events, event(`,"channels":[` + numbered(100) + `]`), 200, `{}`},
		{"101 channels", "POST", events, event(`,"channels":[` + numbered(101) + `]`), 400, "101 channels are more than 100"},
		{"unknown members", "POST", events, event(`,"channel":"a","x":[1]`), 200, `{}`},
		{"data is not JSON", "POST", events, `{"name":"e","channel":"a","data":"hello <b>"}`, 200, `{}`},
		{"empty data", "POST", events, `{"name":"e","channel":"a","data":""}`, 200, `{}`},
		{"no data", "POST", events, `{"name":"e","channel":"a"}`, 400, "The event has no data"},
		{"data is an object", "POST", events, `{"name":"e","channel":"a","data":{}}`, 400, "data must be a string; encode other values"},
		{"channels is a string", "POST", events, event(`,"channels":"a"`), 400, "channels must be a list of strings"},
		{"data in a batch is a list", "POST", batch, `{"batch":[{"name":"e","channel":"a","data":[1]}]}`, 400, "data must be a string"},
		{"no channel", "POST", events, event(""), 400, "The event has no channel"},
		{"no name", "POST", events, `{"channel":"a","data":"1"}`, 400, "Invalid event: its name"},
		{"long name", "POST", events, `{"name":"` + strings.Repeat("n", 201) + `","channel":"a","data":"1"}`, 400, "Invalid event: its name"},
		{"pusher: name", "POST", events, `{"name":"pusher:x","channel":"a","data":"1"}`, 400, "Invalid event: the event's name has a prefix"},
		{"pusher_internal: name", "POST", events, `{"name":"pusher_internal:x","channel":"a","data":"1"}`, 400, "Invalid event: the event's name"},
		{"client- name", "POST", events, `{"name":"client-x","channel":"private-a","data":"1"}`, 200, `{}`},
		{"bad channel", "POST", events, event(`,"channels":["a","b c"]`), 400, "Invalid event: realtime: invalid channel name"},
		{"long channel", "POST", events, event(`,"channel":"` + strings.Repeat("c", 201) + `"`), 400, "Invalid event"},
		{"a user's channel", "POST", events, event(`,"channel":"#server-to-user-7"`), 200, `{}`},
		{"nobody's channel", "POST", events, event(`,"channel":"#server-to-user-"`), 400, "Invalid event"},
		{"10 KB", "POST", events, `{"name":"e","channel":"a","data":"` + strings.Repeat("d", 10240) + `"}`, 200, `{}`},
		{"above 10 KB", "POST", events, `{"name":"e","channel":"a","data":"` + strings.Repeat("d", 10241) + `"}`, 413,
			"The data content of this event exceeds the allowed maximum (10240 bytes)"},
		{"bad socket_id", "POST", events, event(`,"channel":"a","socket_id":"1"`), 400, "The socket_id is malformed"},
		{"not JSON", "POST", events, `name=e`, 400, "The body must be"},
		{"empty body", "POST", events, ``, 400, "The body must be"},
		{"info", "POST", events, event(`,"channels":["lobby","a","lobby"],"info":"user_count,subscription_count"`), 200,
			`{"channels":{"a":{"subscription_count":0},"lobby":{"subscription_count":1}}}`},
		{"unknown info", "POST", events, event(`,"channel":"a","info":"cache"`), 400, "info: the attributes are user_count, subscription_count"},

		{"batch", "POST", batch, `{"batch":[` + list(10, `{"name":"e","data":"1","channel":"a"}`) + `]}`, 200, `{}`},
		{"batch of 11", "POST", batch, `{"batch":[` + list(11, `{"name":"e","data":"1","channel":"a"}`) + `]}`, 400, "Batch too large: 11"},
		{"batch with a bad event", "POST", batch, `{"batch":[{"name":"e","data":"1","channel":"a"},{"name":"e"}]}`, 400, "The event has no data"},
		{"batch event without a channel", "POST", batch, `{"batch":[{"name":"e","data":"1"}]}`, 400, "Invalid event"},
		{"empty batch", "POST", batch, `{"batch":[]}`, 400, "The body must be"},
		{"batch with info", "POST", batch,
			`{"batch":[{"name":"e","data":"1","channel":"a"},{"name":"e","data":"1","channel":"lobby","info":"subscription_count"}]}`,
			200, `{"batch":[{},{"subscription_count":1}]}`},

		{"old event", "POST", channels + "/lobby/events?name=e", `{"a":1}`, 200, `{}`},
		{"old event without a name", "POST", channels + "/lobby/events", `{}`, 400, "Invalid event: its name"},

		{"channels", "GET", channels, "", 200, `{"channels":{"lobby":{},"private-consultation-1":{}}}`},
		{"channels with a prefix", "GET", channels + "?filter_by_prefix=private-&info=subscription_count", "", 200,
			`{"channels":{"private-consultation-1":{"subscription_count":1}}}`},
		{"prefix with a semicolon", "GET", channels + "?filter_by_prefix=%3B", "", 200, `{"channels":{}}`},
		{"user_count of all", "GET", channels + "?info=user_count", "", 400, "user_count may only be requested"},
		{"user_count of private", "GET", channels + "?info=user_count&filter_by_prefix=private-", "", 400, "user_count may only"},
		{"user_count of presence", "GET", channels + "?info=user_count&filter_by_prefix=presence-a", "", 200, `{"channels":{}}`},
		{"unknown attribute", "GET", channels + "?info=x", "", 400, "info: the attributes are"},

		{"occupied channel", "GET", channels + "/lobby", "", 200, `{"occupied":true}`},
		{"unknown channel", "GET", channels + "/nobody", "", 200, `{"occupied":false}`},
		{"channel with info", "GET", channels + "/lobby?info=subscription_count", "", 200, `{"occupied":true,"subscription_count":1}`},
		{"presence channel with info", "GET", channels + "/presence-a?info=user_count,subscription_count", "", 200,
			`{"occupied":false,"subscription_count":0,"user_count":0}`},
		{"user_count of public", "GET", channels + "/lobby?info=user_count", "", 400, "Cannot retrieve the user count"},
		{"cache of public", "GET", channels + "/lobby?info=cache", "", 400, "Cannot retrieve the cache"},
		{"cache of an empty one", "GET", channels + "/cache-a?info=cache", "", 200, `{"cache":null,"occupied":false}`},
		{"bad channel name", "GET", channels + "/a%20b", "", 400, "The channel name is malformed"},
		{"slash in a name", "GET", channels + "/a%2Fb", "", 404, "Not found"},

		{"users", "GET", channels + "/presence-a/users", "", 200, `{"users":[]}`},
		{"users of public", "GET", channels + "/lobby/users", "", 400, "Users can only be retrieved for presence channels"},

		{"terminate", "POST", "/apps/1/users/7/terminate_connections", `{}`, 200, `{}`},
		{"terminate with an odd id", "POST", "/apps/1/users/m%C3%BCller%40x/terminate_connections", `{}`, 200, `{}`},
		{"terminate with a long id", "POST", "/apps/1/users/" + strings.Repeat("u", 129) + "/terminate_connections", ``, 400, "The user id"},

		{"below a prefix", "GET", "/realtime/apps/apps/1/channels/apps", "", 200, `{"occupied":false}`},
		{"another application", "GET", "/apps/2/channels", "", 404, "Unknown application"},
		{"another method", "GET", events, "", 405, "Method not allowed"},
		{"another method for channels", "POST", channels, "", 405, "Method not allowed"},
		{"another path", "GET", "/apps/1", "", 404, "Not found"},
		{"too large", "POST", events, strings.Repeat(" ", 1<<20+1), 413, "The body is larger than 1048576 bytes"},
	} {
		status, answer := call.do(c.method, c.path, c.body)
		require.Equal(t, c.status, status, "%s: %s", c.name, answer)
		if status == 200 {
			require.Equal(t, c.answer, answer, c.name)
		}
		require.True(t, strings.HasPrefix(answer, c.answer), "%s: %s", c.name, answer)
	}
}

func TestAPIPublishes(t *testing.T) {
	t.Parallel()
	f := start(t)
	a, b := f.connect(), f.connect()
	f.subscribe(a, lobby)
	f.subscribe(b, lobby)
	call := f.caller()
	post := func(path, body string) {
		status, answer := call.do("POST", path, body)
		require.Equal(t, 200, status, answer)
	}
	post("/apps/1/events", `{"name":"one","channels":["lobby","lobby"],"data":"text, \"not\" JSON"}`)
	post("/apps/1/events", `{"name":"two","channel":"lobby","data":"2","socket_id":"`+string(a.SocketID())+`"}`)
	post("/apps/1/batch_events", `{"batch":[{"name":"three","channel":"lobby","data":"3"},{"name":"four","channel":"lobby","data":"4"}]}`)
	post("/apps/1/channels/lobby/events?name=five&socket_id="+string(a.SocketID()), `{"n":5}`)
	post("/apps/1/channels/lobby/events?name=six", `{"n":6}`)
	for c, want := range map[*realtimetest.Client][]string{
		a: {"one", "three", "four", "six"}, b: {"one", "two", "three", "four", "five", "six"},
	} {
		var got []string
		for range want {
			frame, err := c.NextEvent(t.Context())
			require.NoError(t, err)
			got = append(got, frame.Event)
			if frame.Event == "one" {
				require.Equal(t, `{"event":"one","channel":"lobby","data":"text, \"not\" JSON"}`, string(frame.Raw))
			}
		}
		require.Equal(t, want, got)
	}
}

func TestAPIAuthentication(t *testing.T) {
	t.Parallel()
	f := start(t)
	call := f.caller()
	const body = `{"name":"e","channel":"a","data":"1"}`
	const path = "/apps/1/events"
	change := func(param, value string) func(*http.Request) {
		return func(r *http.Request) {
			q := r.URL.Query()
			if q.Set(param, value); value == "" {
				q.Del(param)
			}
			r.URL.RawQuery = q.Encode()
		}
	}
	for name, c := range map[string]struct {
		change func(*http.Request)
		reason string
	}{
		"no signature":       {change("auth_signature", ""), "auth_signature"},
		"wrong signature":    {change("auth_signature", strings.Repeat("0", 64)), "auth_signature"},
		"no key":             {change("auth_key", ""), "auth_key"},
		"another key":        {change("auth_key", "x"), "auth_key"},
		"no version":         {change("auth_version", ""), "auth_version"},
		"another version":    {change("auth_version", "2.0"), "auth_version"},
		"no timestamp":       {change("auth_timestamp", ""), "auth_timestamp"},
		"another timestamp":  {change("auth_timestamp", "1"), "auth_signature"},
		"no digest":          {change("body_md5", ""), "auth_signature"},
		"one parameter more": {change("info", "x"), "auth_signature"},
		"a parameter twice":  {func(r *http.Request) { r.URL.RawQuery += "&auth_version=1.0" }, "more than once"},
		"another body": {func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(body, `"1"`, `"2"`, 1)))
		}, "body_md5"},
		"another path": {func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "events", "batch_events", 1) }, "auth_signature"},
	} {
		r := call.sign("POST", path, body)
		c.change(r)
		status, answer := call.send(r)
		require.Equal(t, 401, status, name)
		require.Contains(t, answer, "Not authenticated: ", name)
		require.Contains(t, answer, c.reason, name)
		require.NotContains(t, answer, "app-secret", name)
	}
	now := time.Now()
	for offset, want := range map[time.Duration]int{-610: 401, -590: 200, 0: 200, 590: 200, 610: 401} {
		call.now = now.Add(offset * time.Second)
		status, answer := call.do("POST", path, body)
		require.Equal(t, want, status, answer)
	}
	require.EqualValues(t, 3, f.Stats().APICalls)
	require.EqualValues(t, 15, f.Stats().APIRefusals)
}

// TestAPIReplays sends one signed call several times. Equal calls are served
// unless the host wants replays refused.
func TestAPIReplays(t *testing.T) {
	t.Parallel()
	for refuse, want := range map[bool]int{false: 200, true: 401} {
		f := start(t, func(c *ws.Config) { c.RefuseReplays = refuse })
		call := f.caller()
		const body = `{"name":"e","channel":"a","data":"1"}`
		r := call.sign("POST", "/apps/1/events", body)
		repeat, third := again(t, r, body), again(t, r, body)
		third.URL.RawQuery = strings.ReplaceAll(third.URL.RawQuery, "auth_", "%61uth_") // the same, spelled differently
		status, _ := call.send(r)
		require.Equal(t, 200, status)
		for _, r := range []*http.Request{repeat, third} {
			status, answer := call.send(r)
			require.Equal(t, want, status, answer)
		}
		r = call.sign("GET", "/apps/1/channels", "")
		for range 2 { // asking twice harms nobody
			status, _ = call.send(again(t, r, ""))
			require.Equal(t, 200, status)
		}
	}
}

// TestAPIRefusalsMayBeRepeated has calls refused, and repeated when the reason
// is gone.
func TestAPIRefusalsMayBeRepeated(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) { c.RefuseReplays = true })
	call := f.caller()
	for name, c := range map[string]struct {
		path, body string
		want       int
	}{
		"malformed":       {"/apps/1/events", `{`, 400},
		"too large event": {"/apps/1/events", lobbyEvent(strings.Repeat("x", 10241)), 413},
		"too large body":  {"/apps/1/events", strings.Repeat(" ", 1<<20+1), 413},
		"unknown channel": {"/apps/1/batch_events", `{"batch":[{"name":"e","channel":"a b","data":"1"}]}`, 400},
	} {
		r := call.sign("POST", c.path, c.body)
		for range 2 {
			status, answer := call.send(again(t, r, c.body))
			require.Equal(t, c.want, status, "%s: %s", name, answer)
		}
	}
	body := lobbyEvent("1")
	r := call.sign("POST", "/apps/1/events", body)
	status, _ := call.send(again(t, r, body+" ")) // not the body that was signed
	require.Equal(t, 401, status)
	status, _ = call.send(again(t, r, body))
	require.Equal(t, 200, status)
	status, _ = call.send(again(t, r, body))
	require.Equal(t, 401, status)
}

// TestAPISignsTheSentPath mounts the API as hosts do.
func TestAPISignsTheSentPath(t *testing.T) {
	t.Parallel()
	f := start(t)
	mux := http.NewServeMux()
	mux.Handle("/kept/", f.API())
	mux.Handle("/stripped/", http.StripPrefix("/stripped", f.API()))
	call := f.caller()
	call.api = mux
	for _, path := range []string{"/kept/apps/1/channels", "/stripped/apps/1/channels", "/kept/a%20b/apps/1/channels"} {
		status, answer := call.do("GET", path, "")
		require.Equal(t, 200, status, "%s: %s", path, answer)
	}
	// Not escaped at all, as the SDK for Go does.
	q := call.creds.SignRequest(pusherproto.Request{
		Method: "GET", Path: "/kept/apps/1/channels", Query: url.Values{"filter_by_prefix": {"a;b"}},
	}, call.now)
	raw, err := url.QueryUnescape(q.Encode())
	require.NoError(t, err)
	status, answer := call.send(httptest.NewRequestWithContext(t.Context(), "GET", "/kept/apps/1/channels?"+raw, nil))
	require.Equal(t, 200, status, answer)
	// Signed before it was escaped, as the SDK for Node does.
	u := url.URL{Path: "/kept/apps/1/channels/presence-ä"}
	q = call.creds.SignRequest(pusherproto.Request{Method: "GET", Path: u.Path}, call.now)
	r := httptest.NewRequestWithContext(t.Context(), "GET", u.EscapedPath()+"?"+q.Encode(), nil)
	status, answer = call.send(r)
	require.Equal(t, 400, status, answer) // past the signature: no such name
}

// TestAPIBehindPrefixes signs one path and has the server see another, as SDKs
// with a path of their own and proxies do.
func TestAPIBehindPrefixes(t *testing.T) {
	t.Parallel()
	f := start(t)
	call := f.caller()
	for name, c := range map[string]struct {
		signed, sent, forwarded string
		want                    int
	}{
		"path option of the SDK for PHP": {"/apps/1/channels", "/realtime/apps/1/channels", "", 200},
		"stripped by a proxy":            {"/realtime/apps/1/channels", "/apps/1/channels", "/realtime", 200},
		"stripped, with a slash":         {"/a/b/apps/1/channels", "/apps/1/channels", "/a/b/", 200},
		"stripped in part":               {"/a/b/apps/1/channels", "/b/apps/1/channels", "/a", 200},
		"stripped and not named":         {"/realtime/apps/1/channels", "/apps/1/channels", "", 401},
		"another prefix":                 {"/realtime/apps/1/channels", "/apps/1/channels", "/other", 401},
		"another call":                   {"/apps/1/channels", "/realtime/apps/1/channels/lobby", "", 401},
		"another call in the header":     {"/apps/1/channels/lobby", "/apps/1/channels", "/apps/1/channels/lobby", 401},
		"another prefix, sent":           {"/a/apps/1/channels", "/b/apps/1/channels", "", 401},
	} {
		r := call.sign("GET", c.signed, "")
		r.RequestURI = c.sent + "?" + r.URL.RawQuery
		r.URL.Path = c.sent
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-Prefix", c.forwarded)
		}
		status, answer := call.send(r)
		require.Equal(t, c.want, status, "%s: %s", name, answer)
	}
}
