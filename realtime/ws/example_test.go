package ws_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

func Example() {
	srv, err := ws.New(ws.Config{AppID: "1", Key: "app-key", Secret: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /app/{key}", srv)
	host := httptest.NewServer(mux)
	defer host.Close()
	ctx := context.Background()
	defer srv.Shutdown(ctx)

	// In a browser this is pusher-js, which asks the host's authorisation endpoint for the grant.
	client, err := realtimetest.Dial(ctx, "ws"+strings.TrimPrefix(host.URL, "http")+"/app/app-key?protocol=7", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	grant, err := srv.SignChannel(client.SocketID(), "private-consultation-1", &realtime.Member{UserID: "patient-1"})
	if err != nil {
		log.Fatal(err)
	}
	if err := client.Subscribe(ctx, "private-consultation-1", grant); err != nil {
		log.Fatal(err)
	}

	err = srv.Broadcast(ctx, realtime.Event{
		Channel: "private-consultation-1", Name: "new-message", Data: []byte(`{"content":"Hello"}`),
	})
	if err != nil {
		log.Fatal(err)
	}
	frame, err := client.NextEvent(ctx)
	fmt.Println(frame.Event, string(frame.Data), err)
	// Output: new-message {"content":"Hello"} <nil>
}
