package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

// post sends a request as the user and decodes the answer into out.
func post(t *testing.T, address, user, contentType, body string, want int, out any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Demo-User", user)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, want, res.StatusCode, string(answer))
	require.NoError(t, json.Unmarshal(answer, out))
}

// TestEachRouter sends a message over HTTP and receives it through the socket, both below the base path.
func TestEachRouter(t *testing.T) {
	t.Parallel()
	for name, mount := range routers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api, socket, err := newChat(t.Context())
			require.NoError(t, err)
			server := httptest.NewServer(mount(api))
			t.Cleanup(server.Close)
			t.Cleanup(func() { _ = socket.Shutdown(t.Context()) }) // the context has ended by then: cut, do not wait

			client, err := realtimetest.Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+base+"/app/"+key+"?protocol=7", nil)
			require.NoError(t, err)
			t.Cleanup(client.Cut)
			ch := consultation.Channel("demo", 1)
			form := url.Values{"socket_id": {string(client.SocketID())}, "channel_name": {string(ch)}}
			var grant realtime.Grant
			post(t, server.URL+base+"/api/pusher/auth", "stefan", "application/x-www-form-urlencoded", form.Encode(), 200, &grant)
			require.NoError(t, client.Subscribe(t.Context(), ch, grant))

			var sent, received chat.Message
			post(t, server.URL+base+"/api/nachrichten", "paula", "application/json", `{"consultationId":"demo","content":"Guten Tag"}`, 201, &sent)
			frame, err := client.NextEvent(t.Context())
			require.NoError(t, err)
			require.Equal(t, chat.EventNewMessage, frame.Event)
			require.NoError(t, json.Unmarshal(frame.Data, &received))
			require.Equal(t, sent, received)

			var refused struct{ Code string }
			post(t, server.URL+base+"/api/nachrichten", "nobody", "application/json", `{}`, 401, &refused)
			require.Equal(t, "unauthenticated", refused.Code)
			res, err := http.Get(server.URL + "/")
			require.NoError(t, err)
			page, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Contains(t, string(page), "the host's own page")
		})
	}
}
