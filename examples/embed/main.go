// Embed adds the chat to a web application that has a mux, users and sessions already; it is the code of the README.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/sqlitestore"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	mux := http.NewServeMux() // the host's own
	host := &http.Server{Addr: "127.0.0.1:8080", Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	socket := mountChat(ctx, mux, "chat.db", os.Getenv("CHAT_SECRET"))
	served := make(chan error, 1)
	go func() { served <- host.ListenAndServe() }()
	select {
	case err := <-served:
		log.Fatal(err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := errors.Join(socket.Shutdown(drain), host.Shutdown(drain)); err != nil {
		log.Fatal(err)
	}
}

func mountChat(ctx context.Context, mux *http.ServeMux, file, secret string) *ws.Server {
	store := must(sqlitestore.Open(ctx, file, nil))
	server := must(ws.New(ws.Config{AppID: "1", Key: "app-key", Secret: secret}))
	handler := must(httpadapter.New(httpadapter.Config{
		Chat:          must(chat.NewService(store, server, nil)),
		Consultations: must(consultation.NewService(store, server, nil)),
		Authenticator: httpadapter.AuthenticatorFunc(authenticate),
		Signer:        server, // signs channel authorisations
		Socket:        server, // answers GET /app/{key}
		Transport:     httpadapter.Transport{Key: "app-key"},
	}))
	handler.Register(mux)
	return server // Shutdown is for the end, before that of your http.Server
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// authenticate tells the library who is asking, from the session that the host has.
func authenticate(r *http.Request) (consultation.Participant, error) {
	cookie, err := r.Cookie("session")
	if err != nil {
		return consultation.Participant{}, errors.New("no session")
	}
	user := consultation.UserID(cookie.Value) // the host looks it up
	return consultation.Participant{UserID: user, Role: consultation.RolePatient, FirstName: "Paula"}, nil
}
