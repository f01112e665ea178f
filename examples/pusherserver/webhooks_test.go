package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	pusher "github.com/pusher/pusher-http-go/v5"
	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/ws"
)

// encryptionKey is that of the encrypted channels.
const encryptionKey = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

// sdk is the official SDK for Go, towards a server at addr.
func sdk(addr string) *pusher.Client {
	return &pusher.Client{
		AppID: appID, Key: key, Secret: secret, Host: addr, EncryptionMasterKeyBase64: encryptionKey,
		HTTPClient: &http.Client{Timeout: 10 * time.Second},
	}
}

// webhookReceiver is an endpoint that believes what the official SDK has verified.
type webhookReceiver struct {
	t      *testing.T
	url    string
	events chan pusher.WebhookEvent
}

func receiveWebhooks(t *testing.T) *webhookReceiver {
	t.Helper()
	r := &webhookReceiver{t: t, events: make(chan pusher.WebhookEvent, 1000)}
	client := sdk("")
	_, err := client.AuthorizePrivateChannel([]byte("socket_id=1.1&channel_name=private-encrypted-a")) // reads the key
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		hook, err := client.Webhook(req.Header, body)
		if err != nil {
			t.Errorf("the SDK refuses a webhook: %v: %s", err, body)
			http.Error(w, "refused", http.StatusUnauthorized)
			return
		}
		for _, ev := range hook.Events {
			r.events <- ev
		}
	}))
	t.Cleanup(server.Close)
	r.url = server.URL + "/hook"
	return r
}

// next waits for the next event and expects its kind.
func (r *webhookReceiver) next(kind string) pusher.WebhookEvent {
	r.t.Helper()
	select {
	case ev := <-r.events:
		require.Equal(r.t, kind, ev.Name)
		return ev
	case <-time.After(20 * time.Second):
		require.Fail(r.t, "no webhook", "want %s", kind)
		panic("not reached")
	}
}

func newServer(t *testing.T) *ws.Server {
	t.Helper()
	s, err := ws.New(ws.Config{AppID: appID, Key: key, Secret: secret})
	require.NoError(t, err)
	return s
}

func statusOf(h http.Handler, path string) int {
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
	return answer.Code
}
