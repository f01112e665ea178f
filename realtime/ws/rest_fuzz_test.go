package ws_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
	"github.com/murph-chat/murph/realtime/ws"
)

// FuzzAPI makes calls whose signature is good and whose content is anything: each has a documented status, and its
// answer is JSON or a line of text that repeats nothing of the call.
func FuzzAPI(f *testing.F) {
	f.Add(true, "/apps/1/events", "", `{"name":"e","channels":["a","#server-to-user-1"],"data":"1","socket_id":"1.1","info":"user_count"}`)
	f.Add(true, "/x/apps/1/batch_events", "", `{"batch":[{"name":"e","channel":"a","data":"1"},{"name":"e","channel":"presence-a","data":"1","info":"user_count"}]}`)
	f.Add(true, "/apps/1/channels/a/events", "name=e&socket_id=1.1", "data")
	f.Add(false, "/apps/1/channels", "filter_by_prefix=presence-&info=user_count", "")
	f.Add(false, "/apps/1/channels/cache-a", "info=cache,subscription_count", "")
	f.Add(false, "/apps/1/channels/presence-%61/users", "info=;", "")
	f.Add(true, "/apps/1/users/%C3%BC/terminate_connections", "a=%zz", "{}")
	f.Add(true, "/apps/1/events", "", `{"name":"\u0000","channel":"`+"\xff"+`","data":null}`)
	server, err := ws.New(config())
	if err != nil {
		f.Fatal(err)
	}
	api := server.API()
	creds := pusherproto.Credentials{Key: appKey, Secret: "app-secret"}
	statuses := []int{200, 400, 401, 404, 405, 413} // 401 for what net/url and the signature read differently
	f.Fuzz(func(t *testing.T, post bool, path, query, body string) {
		method := http.MethodGet
		if post {
			method = http.MethodPost
		}
		values, err := url.ParseQuery(query)
		u := url.URL{Path: path}
		if err != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
			return
		}
		signed := creds.SignRequest(pusherproto.Request{Method: method, Path: u.EscapedPath(), Query: values, Body: []byte(body)}, time.Now())
		u.RawQuery = signed.Encode()
		r := httptest.NewRequest(method, u.RequestURI(), strings.NewReader(body))
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		answer := w.Body.String()
		switch {
		case !slices.Contains(statuses, w.Code):
			t.Errorf("status %d: %s", w.Code, answer)
		case w.Code == 200 && !json.Valid(w.Body.Bytes()):
			t.Errorf("not JSON: %s", answer)
		case w.Code != 200 && (strings.Count(answer, "\n") != 1 || len(answer) > 200):
			t.Errorf("not a line: %q", answer)
		}
	})
}
