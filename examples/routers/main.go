// Routers mounts the chat, HTTP and WebSocket, below /chat under five routers: net/http's own, chi, gin, echo, and one
// behind middleware whose ResponseWriter has nothing but Unwrap. How each is done is in routers.go.
//
//	go run ./examples/routers -router chi -addr 127.0.0.1:8080
//
// Everybody is whom the header Demo-User names: paula, a patient, or stefan, a student.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/memstore"
)

const (
	base = "/chat"
	key  = "app-key"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	router := flag.String("router", "stdlib", "stdlib, chi, gin, echo or unwrap")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *router); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends, and drains: first the WebSocket connections, which the HTTP server knows nothing of.
func run(ctx context.Context, addr, router string) error {
	mount, ok := routers[router]
	if !ok {
		return fmt.Errorf("unknown router %q", router)
	}
	api, socket, err := newChat(ctx)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mount(api), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Printf("the chat is at http://%s%s\n", listener.Addr(), base)
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(socket.Shutdown(drain), server.Shutdown(drain))
}

var people = map[string]consultation.Participant{
	"paula":  {UserID: "paula", Role: consultation.RolePatient, FirstName: "Paula"},
	"stefan": {UserID: "stefan", Role: consultation.RoleStudent, FirstName: "Stefan"},
}

// newChat makes the handler that all routers mount, with a consultation "demo" between the two people.
func newChat(ctx context.Context) (*httpadapter.Handler, *ws.Server, error) {
	store := memstore.New()
	socket, err := ws.New(ws.Config{AppID: "1", Key: key, Secret: rand.Text()})
	if err != nil {
		return nil, nil, err
	}
	consultations, err := consultation.NewService(store, socket, nil)
	if err != nil {
		return nil, nil, err
	}
	messages, err := chat.NewService(store, socket, nil)
	if err != nil {
		return nil, nil, err
	}
	paula, stefan := people["paula"], people["stefan"]
	request := consultation.RequestParams{ID: "demo", Topic: "Rückenschmerzen", Patient: paula}
	if _, err := consultations.Request(ctx, request); err != nil {
		return nil, nil, err
	}
	if _, err := consultations.Accept(ctx, consultation.TransitionParams{ID: "demo", By: consultation.Person(stefan)}); err != nil {
		return nil, nil, err
	}
	api, err := httpadapter.New(httpadapter.Config{
		Chat: messages, Consultations: consultations, Authenticator: httpadapter.AuthenticatorFunc(authenticate),
		Signer: socket, Socket: socket, Transport: httpadapter.Transport{Key: key}, BasePath: base,
	})
	return api, socket, err
}

func authenticate(r *http.Request) (consultation.Participant, error) {
	p, ok := people[r.Header.Get("Demo-User")]
	if !ok {
		return consultation.Participant{}, errors.New("nobody is signed in")
	}
	return p, nil
}
