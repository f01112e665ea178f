package httpadapter_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"maps"
	"net/http"
	"slices"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/storage/memstore"
)

// The description of the interface follows the configuration: its paths, and the routes that there are.
func ExampleHandler_OpenAPI() {
	store, events := memstore.New(), &inmem.Broadcaster{}
	consultations, err := consultation.NewService(store, events, nil)
	if err != nil {
		log.Fatal(err)
	}
	messages, err := chat.NewService(store, events, nil)
	if err != nil {
		log.Fatal(err)
	}
	h, err := httpadapter.New(httpadapter.Config{
		Chat: messages, Consultations: consultations,
		Authenticator: httpadapter.AuthenticatorFunc(func(*http.Request) (consultation.Participant, error) {
			return consultation.Participant{}, errors.New("not signed in")
		}),
		BasePath: "/chat",
		Paths:    httpadapter.Paths{Messages: "/messages", OpenAPI: "/openapi.json"}, // served as GET /chat/openapi.json
	})
	if err != nil {
		log.Fatal(err)
	}
	var document struct {
		OpenAPI string         `json:"openapi"`
		Paths   map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(h.OpenAPI(), &document); err != nil {
		log.Fatal(err)
	}
	fmt.Println(document.OpenAPI)
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		fmt.Println(path)
	}
	// Output:
	// 3.1.1
	// /chat/api/beratungen
	// /chat/api/beratungen/{id}
	// /chat/api/beratungen/{id}/gelesen
	// /chat/api/nachrichten/{id}
	// /chat/messages
}
