package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/bunstore"
)

func (a *app) addChat(ctx context.Context) error {
	store, err := bunstore.NewPostgres(a.db, nil)
	if err == nil {
		err = store.Migrate(ctx)
	}
	server, err2 := ws.New(ws.Config{AppID: "1", Key: "app-key", Secret: rand.Text()})
	messages, err3 := chat.NewService(store, server, nil)
	consultations, err4 := consultation.NewService(store, server, nil)
	handler, err5 := httpadapter.New(httpadapter.Config{Chat: messages, Consultations: consultations,
		Authenticator: httpadapter.AuthenticatorFunc(a.person), Signer: server, Socket: server, Transport: httpadapter.Transport{Key: "app-key"}})
	if err := errors.Join(err, err2, err3, err4, err5); err != nil {
		return err
	}
	handler.Register(a.mux)
	a.stop = append(a.stop, server.Shutdown) // sends the browsers away before the HTTP server stops
	return nil
}

func (a *app) person(r *http.Request) (consultation.Participant, error) {
	u, err := a.user(r)
	return consultation.Participant{UserID: consultation.UserID(u.id), Role: consultation.Role(u.role), FirstName: u.firstName, LastName: u.lastName}, err
}
