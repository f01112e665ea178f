package httpadapter_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/storage/memstore"
)

// Without its relay an application is degraded, and still takes messages; without its store it is down.
func ExampleNewHealth() {
	store := memstore.New()
	relay, err := realtime.NewRelay(store, &inmem.Broadcaster{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	health, err := httpadapter.NewHealth([]httpadapter.Part{
		{Name: "store", Checker: store, Vital: true},
		{Name: "relay", Checker: relay},
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", health)

	ask := func() {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/healthz", nil))
		fmt.Println(w.Code, w.Body)
	}
	ask()          // nobody has started relay.Run
	health.Drain() // when the process is told to stop
	ask()
	// Output:
	// 200 {"status":"degraded","parts":{"relay":"down","store":"ok"}}
	// 503 {"status":"draining","parts":{"relay":"down","store":"ok"}}
}
