package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime/pusher"
	"github.com/murph-chat/murph/realtime/ws"
)

// config is what the flags say.
type config struct {
	db        string
	transport string
	web       string
}

// app is the web application: the library's handlers, the page and the demo's login on one mux.
type app struct {
	http.Handler
	server     *ws.Server
	closeStore func() error
}

func newApp(ctx context.Context, cfg config) (_ *app, err error) {
	if cfg.transport != "websocket" {
		return nil, fmt.Errorf("unknown transport %q: it must be websocket", cfg.transport)
	}
	credentials := serverConfig()
	server, err := ws.New(credentials)
	if err != nil {
		return nil, err
	}
	store, closeStore, err := openStore(ctx, cfg.db)
	if err != nil {
		return nil, err
	}
	if err := store.Check(ctx); err != nil {
		slog.Warn("the database could lose messages", slog.Any("err", err))
	}
	a := &app{server: server, closeStore: closeStore}
	defer func() {
		if err != nil {
			err = closeAfter(err, a)
		}
	}()

	consultations, err := consultation.NewService(store, server, nil)
	if err != nil {
		return nil, err
	}
	messages, err := chat.NewService(store, server, nil)
	if err != nil {
		return nil, err
	}
	if err := seed(ctx, consultations); err != nil {
		return nil, fmt.Errorf("make the demo consultation: %w", err)
	}
	api, err := httpadapter.New(httpadapter.Config{
		Chat:          messages,
		Consultations: consultations,
		Authenticator: httpadapter.AuthenticatorFunc(authenticate),
		Signer:        server,
		Socket:        server,
		Transport:     httpadapter.Transport{Driver: httpadapter.DriverWebSocket, Key: credentials.Key},
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /demo/login", login)
	mux.Handle("/api/", api)
	mux.Handle("/app/", api)
	mux.Handle("/", page(cfg.web))
	a.Handler = mux
	return a, nil
}

// serverConfig returns the credentials that a deployment on hosted Pusher has in its environment already, or else a
// secret that lasts as long as the process.
func serverConfig() ws.Config {
	if env, err := pusher.ConfigFromEnv(nil); err == nil {
		return ws.Config{AppID: env.AppID, Key: env.Key, Secret: env.Secret}
	}
	return ws.Config{AppID: "demo", Key: "murph-demo", Secret: rand.Text()}
}

// Shutdown sends the connected browsers away, so that the HTTP server can stop.
func (a *app) Shutdown(ctx context.Context) error { return a.server.Shutdown(ctx) }

// Close closes the database.
func (a *app) Close() error { return a.closeStore() }
