// Embedapp is somebody's small web application: a mux of the standard library, users and sessions in its own Postgres, a
// cookie of its own. It has the chat by the file chat.go and the one line here that ends in "// chat", less than 40 lines
// in all; without them it is the application as it was. A test counts the lines and runs both.
//
//	go run ./examples/embedapp -db postgres://localhost/app
//
// The users are paula, a patient, and stefan, a student; the password of both is "geheim".
package main

import (
	"context"
	"database/sql"
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

	_ "github.com/jackc/pgx/v5/stdlib"
)

// app is the application.
type app struct {
	db   *sql.DB
	mux  *http.ServeMux
	stop []func(context.Context) error // called when the application stops, before its server does
}

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	db := flag.String("db", "", "address of the Postgres database")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, *addr, *db); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr, dsn string) (err error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	a, err := newApp(ctx, db)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: a.mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Printf("http://%s\n", listener.Addr())
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	for _, stop := range a.stop {
		err = errors.Join(err, stop(drain))
	}
	return errors.Join(err, server.Shutdown(drain))
}

func newApp(ctx context.Context, db *sql.DB) (*app, error) {
	a := &app{db: db, mux: http.NewServeMux()}
	a.mux.HandleFunc("GET /{$}", a.home)
	a.mux.HandleFunc("POST /login", a.login)
	for _, setUp := range []func(context.Context) error{
		a.createTables,
		a.addChat, // chat
	} {
		if err := setUp(ctx); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// home greets who is logged in.
func (a *app) home(w http.ResponseWriter, r *http.Request) {
	u, err := a.user(r)
	if err != nil {
		http.Error(w, "please log in", http.StatusUnauthorized)
		return
	}
	_, _ = fmt.Fprintf(w, "Hello %s!\n", u.firstName)
}
