package ws_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAPIMethods has every path served with one method, in no way that a page of another origin could use.
func TestAPIMethods(t *testing.T) {
	t.Parallel()
	f := start(t)
	for path, allowed := range map[string]string{
		"/apps/1/events": "POST", "/apps/1/batch_events": "POST", "/apps/1/channels": "GET", "/apps/1/channels/lobby": "GET",
		"/apps/1/channels/presence-a/users": "GET", "/apps/1/channels/lobby/events": "POST",
		"/apps/1/users/ann/terminate_connections": "POST",
	} {
		for _, method := range []string{"GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "get"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			r.Method = method
			r.Header.Set("Origin", "https://app.example.org")
			r.Header.Set("Access-Control-Request-Method", allowed)
			answer := httptest.NewRecorder()
			f.API().ServeHTTP(answer, r)
			want, allow := http.StatusMethodNotAllowed, allowed
			if method == allowed {
				want, allow = http.StatusUnauthorized, ""
			}
			require.Equal(t, want, answer.Code, "%s %s", method, path)
			require.Equal(t, allow, answer.Header().Get("Allow"), "%s %s", method, path)
			for name := range answer.Header() {
				require.False(t, strings.HasPrefix(name, "Access-Control-"), "%s %s: %s", method, path, name)
			}
		}
	}
}

// TestAPIPublishesAllOrNothing makes calls of which a part is in order.
func TestAPIPublishesAllOrNothing(t *testing.T) {
	t.Parallel()
	f := start(t)
	c := f.connect()
	f.subscribe(c, lobby, "cache-a")
	require.Contains(t, next(t, c), "cache_miss")
	const events, batch, old = "/apps/1/events", "/apps/1/batch_events", "/apps/1/channels/lobby/events"
	const good = `{"name":"e","channel":"lobby","data":"1"},{"name":"e","channel":"cache-a","data":"1"}`
	deep := strings.Repeat("[", 17) + strings.Repeat("]", 17)
	call := f.caller()
	for name, bad := range map[string]struct {
		path, body string
		status     int
	}{
		"a bad channel":      {events, `{"name":"e","channels":["lobby","cache-a","b c"],"data":"1"}`, 400},
		"a bad info":         {events, `{"name":"e","channels":["lobby","cache-a"],"data":"1","info":"x"}`, 400},
		"an event, no name":  {batch, `{"batch":[` + good + `,{"channel":"lobby","data":"1"}]}`, 400},
		"an event, channel":  {batch, `{"batch":[` + good + `,{"name":"e","channel":"b c","data":"1"}]}`, 400},
		"an event, socket":   {batch, `{"batch":[` + good + `,{"name":"e","channel":"lobby","data":"1","socket_id":"1"}]}`, 400},
		"an event, its size": {batch, `{"batch":[` + good + `,` + lobbyEvent(strings.Repeat("x", 10241)) + `]}`, 413},

		"an event, its info": {batch, `{"batch":[` + good + `,{"name":"e","channel":"lobby","data":"1","info":5}]}`, 400},
		"info, a number":     {events, `{"name":"e","channel":"lobby","data":"1","info":5}`, 400},
		"socket, a number":   {events, `{"name":"e","channel":"lobby","data":"1","socket_id":5}`, 400},
		"batch, an object":   {batch, `{"batch":` + lobbyEvent("1") + `}`, 400},
		"a list":             {events, `[` + lobbyEvent("1") + `]`, 400},

		// What two parsers could read in two ways.
		"a key twice":        {events, `{"name":"e","channel":"lobby","data":"1","data":"2"}`, 400},
		"a key twice, deep":  {batch, `{"batch":[` + good + `,{"name":"e","channel":"x","channel":"lobby","data":"1"}]}`, 400},
		"NAME":               {events, `{"NAME":"e","channel":"lobby","data":"1"}`, 400},
		"Channel":            {events, `{"name":"e","Channel":"lobby","data":"1"}`, 400},
		"Data":               {events, `{"name":"e","channel":"lobby","Data":"1"}`, 400},
		"Batch":              {batch, `{"Batch":[` + good + `]}`, 400},
		"not UTF-8":          {events, lobbyEvent("\xff"), 400},
		"a name, not UTF-8":  {events, `{"name":"` + "\xc3" + `","channel":"lobby","data":"1"}`, 400},
		"batch, not UTF-8":   {batch, `{"batch":[` + good + `,` + lobbyEvent("\xed\xa0\x80") + `]}`, 400},
		"NUL in the name":    {events, `{"name":"e\u0000","channel":"lobby","data":"1"}`, 400},
		"NUL in the data":    {events, lobbyEvent(`\u0000`), 400},
		"two values":         {events, lobbyEvent("1") + lobbyEvent("2"), 400},
		"deep":               {events, `{"x":` + deep + `,` + lobbyEvent("1")[1:], 400},
		"old, not UTF-8":     {old + "?name=e", "\xff", 400},
		"old, NUL in a name": {old + "?name=e%00", "1", 400},
		"old, name no UTF-8": {old + "?name=%FF", "1", 400},
		"old, NUL":           {old + "?name=e", "\x00", 400},
	} {
		status, answer := call.do("POST", bad.path, bad.body)
		require.Equal(t, bad.status, status, "%s: %s", name, answer)
		require.NoError(t, f.Flush(t.Context()), name)
		silent(t, c)
	}
	require.Zero(t, f.CachedEvents())
}

// TestAPIBodyOfEscapes publishes as much as one call may, in the form of SDKs that escape all but ASCII: three bytes for
// each one of the data.
func TestAPIBodyOfEscapes(t *testing.T) {
	t.Parallel()
	f := start(t)
	c := f.connect()
	f.subscribe(c, lobby)
	one := lobbyEvent(strings.Repeat(`\u00fc`, 5120))
	status, answer := f.caller().do("POST", "/apps/1/batch_events", `{"batch":[`+one+strings.Repeat(","+one, 9)+`]}`)
	require.Equal(t, 200, status, answer)
	for range 10 {
		require.Equal(t, `{"event":"e","channel":"lobby","data":"`+strings.Repeat("ü", 5120)+`"}`, next(t, c))
	}
}

// lobbyEvent is one for the lobby, as the API takes it.
func lobbyEvent(data string) string { return `{"name":"e","channel":"lobby","data":"` + data + `"}` }
