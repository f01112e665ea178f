package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/examples/internal/demo"
	"github.com/murph-chat/murph/realtime/pusher"
	"github.com/murph-chat/murph/realtime/ws"
)

const (
	appID  = "1"
	appKey = "app-key"
	secret = "the-secret-of-the-broker"
)

// broker is a Pusher service of our own, outside of the application's process as far as that can tell. It keeps what the
// application has sent.
type broker struct {
	server *ws.Server
	http   *httptest.Server

	mu     sync.Mutex // guards what is below
	bodies []string
	before func() // called with each publish before it is taken
	log    lockedBuffer
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	b := &broker{}
	var err error
	b.server, err = ws.New(ws.Config{
		AppID: appID, Key: appKey, Secret: secret, ClientEvents: []string{"client-typing"}, AllowedOrigins: []string{"*"},
		Logger: slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("GET /app/{key}", b.server)
	api := b.server.API()
	mux.HandleFunc("/apps/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the application has died in mid-call
		}
		b.mu.Lock()
		before := b.before
		b.mu.Unlock()
		if before != nil {
			before()
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		answer := httptest.NewRecorder()
		api.ServeHTTP(answer, r)
		if answer.Code == http.StatusOK {
			b.mu.Lock()
			b.bodies = append(b.bodies, string(body))
			b.mu.Unlock()
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
	b.http = httptest.NewServer(mux)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), demo.DrainTime) // t.Context() is over
		defer cancel()
		require.NoError(t, b.server.Shutdown(ctx))
		b.http.Close()
	})
	return b
}

func (b *broker) host() string { return strings.TrimPrefix(b.http.URL, "http://") }

func (b *broker) config() pusher.Config {
	return pusher.Config{AppID: appID, Key: appKey, Secret: secret, Cluster: "self"}
}

// published returns what the broker has taken, event by event.
func (b *broker) published(t *testing.T) []publishedEvent {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []publishedEvent
	for _, body := range b.bodies {
		var call struct {
			Name, Data string
			Batch      []publishedEvent
		}
		require.NoError(t, json.Unmarshal([]byte(body), &call))
		if call.Name != "" {
			all = append(all, publishedEvent{call.Name, call.Data})
		}
		all = append(all, call.Batch...)
	}
	return all
}

type publishedEvent struct{ Name, Data string }

// lockedBuffer is a log that several goroutines write to.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
