// Pusherserver is realtime/ws as a server of its own: pusher-js connects to it and every Pusher server SDK publishes to
// it, by changing the host name.
//
//	go run ./examples/pusherserver -addr 127.0.0.1:6001 -app-id 1 -key app-key -secret app-secret
//
// Every flag can be set in the environment instead: -app-id is MURPH_APP_ID, -subscription-count is
// MURPH_SUBSCRIPTION_COUNT=true, and PUSHER_APP_ID, PUSHER_KEY and PUSHER_SECRET are read too. A secret belongs there:
// others on the machine can see the flags of a process. A flag wins over the environment; white space around a value does
// not count, and an empty value is none.
//
// Each limit that a client can meet has a flag (-h lists them). The log names the flag of a limit that has refused
// something, once a minute: a load test from one machine meets -connect-rate, 500 new connections a second, and behind a
// proxy in -trusted-proxies also -address-connect-rate and -max-address-connections.
//
// TLS is up to a proxy in front, whose address goes into -trusted-proxies and whose idle timeout has to be above 40
// seconds. SIGTERM and interrupt drain: /healthz turns to 503, clients are sent away over -drain, webhooks that wait are
// sent.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/murph-chat/murph/realtime/ws"
)

func main() {
	settings, err := parseSettings(os.Args[1:], os.LookupEnv)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "pusherserver:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx, settings); err != nil {
		slog.Error("pusherserver", slog.Any("err", err))
		os.Exit(1)
	}
}

// run serves until ctx ends, and drains.
func run(ctx context.Context, settings settings) error {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{ReplaceAttr: nameFlags})))
	server, err := ws.New(settings.config)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", settings.addr)
	if err != nil {
		return err
	}
	host := &http.Server{
		Handler:           routes(ctx, server),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second, // of a call's body; a WebSocket connection is none of net/http's any more
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- host.Serve(listener) }()
	fmt.Printf("pusherserver listens on http://%s\n", listener.Addr())

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	slog.Info("draining", slog.Int("connections", server.Stats().Connections))
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), settings.config.DrainTime+drainGrace)
	defer cancel()
	err = errors.Join(server.Shutdown(limit), host.Shutdown(limit))
	slog.Info("stopped", slog.Any("stats", server.Stats()))
	return err
}

// drainGrace is the time for what comes after the last client was sent away: its good-bye, and the webhooks.
const drainGrace = 10 * time.Second

// routes puts the server's parts on the paths that clients and SDKs expect.
func routes(stopping context.Context, server *ws.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/apps/", server.API())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if stopping.Err() != nil {
			http.Error(w, "draining", http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok")
	})
	mux.Handle("/", server)
	// On all paths: a client with a wrong one is told so by the close code 4005, the only way that it understands, and not
	// sent elsewhere, as a mux does with "//app/key".
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			server.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
