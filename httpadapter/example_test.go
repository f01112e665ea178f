package httpadapter_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/memstore"
)

// A host with a ServeMux of its own gets the chat with one call of Register.
func Example() {
	store := memstore.New()
	server, err := ws.New(ws.Config{AppID: "murph", Key: "app-key", Secret: "keep this one secret"})
	if err != nil {
		log.Fatal(err)
	}
	consultations, err := consultation.NewService(store, server, nil)
	if err != nil {
		log.Fatal(err)
	}
	messages, err := chat.NewService(store, server, nil)
	if err != nil {
		log.Fatal(err)
	}
	h, err := httpadapter.New(httpadapter.Config{
		Chat:          messages,
		Consultations: consultations,
		Authenticator: httpadapter.AuthenticatorFunc(func(r *http.Request) (consultation.Participant, error) {
			name, _, ok := r.BasicAuth() // a host asks its session instead
			if !ok {
				return consultation.Participant{}, errors.New("not signed in")
			}
			return consultation.Participant{UserID: consultation.UserID(name), Role: consultation.RolePatient, FirstName: name}, nil
		}),
		Signer:    server,
		Socket:    server,
		Transport: httpadapter.Transport{Key: "app-key"},
	})
	if err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the host's own page") })
	h.Register(mux)

	r := httptest.NewRequest(http.MethodPost, "/api/beratungen", strings.NewReader(`{"topic": "Knieschmerzen"}`))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth("anna", "")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code, strings.Contains(w.Body.String(), `"status":"REQUESTED"`))
	// Output: 201 true
}

// Below a prefix the Handler wants the whole path, which chi's Mount, gin and echo pass on as http.ServeMux does.
func ExampleHandler_ServeHTTP() {
	store := memstore.New()
	server, err := ws.New(ws.Config{AppID: "murph", Key: "app-key", Secret: "keep this one secret"})
	if err != nil {
		log.Fatal(err)
	}
	consultations, err := consultation.NewService(store, server, nil)
	if err != nil {
		log.Fatal(err)
	}
	messages, err := chat.NewService(store, server, nil)
	if err != nil {
		log.Fatal(err)
	}
	h, err := httpadapter.New(httpadapter.Config{
		Chat: messages, Consultations: consultations,
		Authenticator: httpadapter.AuthenticatorFunc(func(*http.Request) (consultation.Participant, error) {
			return consultation.Participant{}, errors.New("not signed in")
		}),
		BasePath: "/chat",
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/chat/", h) // no http.StripPrefix

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/chat/api/beratungen", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output: 401 application/problem+json
}
