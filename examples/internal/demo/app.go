// Package demo is the web application that the examples run: two demo users, one consultation between them, the page, and
// the library's handlers on one mux. The examples differ in the transport that they give it.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime"
)

// Config is what the flags say.
type Config struct {
	// DB is the path of an SQLite file, or a postgres:// address.
	DB string
	// Web is the folder with the built page; "" looks where make web puts it.
	Web string
	// Notice is how long a process that is to stop goes on, so that load balancers see that it is going.
	Notice time.Duration
	// Env looks a variable up: MURPH_SEND_RATE is how many writes per second one person may make. nil asks the
	// environment.
	Env func(name string) string
}

// App is the application as an HTTP handler.
type App struct {
	http.Handler
	transport     Transport
	notice        time.Duration
	consultations *consultation.Service
	relay         *realtime.Relay // nil without an outbox
	health        *httpadapter.Health
	closeStore    func() error

	stop    context.CancelFunc
	running sync.WaitGroup
}

// New opens the database, makes the demo consultation unless it is there, and starts the relay if the transport is one
// that can be down.
func New(ctx context.Context, cfg Config, transport Transport) (_ *App, err error) {
	if cfg.Env == nil {
		cfg.Env = os.Getenv
	}
	rate, err := sendRate(cfg.Env(envSendRate))
	if err != nil {
		return nil, err
	}
	store, closeStore, err := openStore(ctx, cfg.DB)
	if err != nil {
		return nil, err
	}
	a := &App{transport: transport, notice: cfg.Notice, closeStore: closeStore, stop: func() {}}
	defer func() {
		if err != nil {
			err = closeAfter(err, a)
		}
	}()
	if err := store.Check(ctx); err != nil {
		slog.Warn("the database could lose messages", slog.Any("err", err))
	}
	broadcaster := transport.Broadcaster
	if transport.Outbox {
		if a.relay, err = realtime.NewRelay(store, broadcaster, nil); err != nil {
			return nil, err
		}
		broadcaster = a.relay
		if transport.Waker != nil {
			transport.Waker(a.relay)
		}
	}
	messages, err := chat.NewService(store, broadcaster, &chat.Options{WriteRate: rate})
	if err != nil {
		return nil, err
	}
	if a.consultations, err = consultation.NewService(store, broadcaster, nil); err != nil {
		return nil, err
	}
	if err := seed(ctx, a.consultations); err != nil {
		return nil, fmt.Errorf("make the demo consultation: %w", err)
	}
	api, err := httpadapter.New(httpadapter.Config{
		Chat:          messages,
		Consultations: a.consultations,
		Authenticator: httpadapter.AuthenticatorFunc(authenticate),
		Signer:        transport.Signer,
		Socket:        transport.Socket,
		Transport:     transport.Shown,
		Paths:         httpadapter.Paths{OpenAPI: "/api/openapi.json"},
	})
	if err != nil {
		return nil, err
	}
	if a.health, err = httpadapter.NewHealth(a.parts(store), nil); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", a.health)
	mux.HandleFunc("POST /demo/login", login)
	mux.HandleFunc("POST /demo/reassign", a.reassign)
	mux.Handle("/api/", api)
	mux.Handle("/app/", api)
	mux.Handle("/", page(cfg.Web))
	a.Handler = mux
	a.start()
	return a, nil
}

// parts are what the health of the application consists of. What a relay knows about its transport is enough.
func (a *App) parts(store httpadapter.Checker) []httpadapter.Part {
	parts := []httpadapter.Part{{Name: "store", Checker: store, Vital: true}}
	if a.relay != nil {
		return append(parts, httpadapter.Part{Name: "relay", Checker: a.relay})
	}
	if c, ok := a.transport.Broadcaster.(httpadapter.Checker); ok {
		parts = append(parts, httpadapter.Part{Name: "transport", Checker: c})
	}
	return parts
}

// start runs the relay and the transport, as far as there is something to run, until Close.
func (a *App) start() {
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	run := func(name string, f func(context.Context) error) {
		a.running.Go(func() {
			if err := f(ctx); err != nil {
				slog.Error("stopped", slog.String("part", name), slog.Any("err", err))
			}
		})
	}
	if a.relay != nil {
		run("relay", a.relay.Run)
	}
	if a.transport.Run != nil {
		run("transport", a.transport.Run)
	}
}

// Shutdown tells load balancers to send nobody any more, and sends the connected browsers away, so that the HTTP server
// can stop.
func (a *App) Shutdown(ctx context.Context) error {
	a.health.Drain()
	wait(ctx, a.notice)
	if a.transport.Shutdown == nil {
		return nil
	}
	return a.transport.Shutdown(ctx)
}

// Close sends what is still queued and closes the database. The HTTP server must have stopped.
func (a *App) Close() error {
	a.stop()
	a.running.Wait()
	return a.closeStore()
}

// wait is over after d, or when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// closeAfter closes c and joins its error with err.
func closeAfter(err error, c io.Closer) error { return errors.Join(err, c.Close()) }
