// Murph is the library as a complete web application: two people chat in the browser, the messages are in SQLite or
// Postgres, and the events come from a WebSocket server inside this process.
//
//	go run ./examples/murph -addr 127.0.0.1:8080 -db murph.db -transport websocket
//
// MURPH_SEND_RATE is how many writes per second one person may make, 20 unless it is set, 0 for no limit. /healthz
// answers how the application is. SIGTERM and interrupt drain.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/murph-chat/murph/examples/internal/demo"
)

func main() {
	var cfg demo.Config
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	open := flag.Bool("open", false, "open the two windows in the browser")
	transport := flag.String("transport", "websocket", "how events reach the browser: websocket or poll")
	flag.StringVar(&cfg.DB, "db", "murph.db", "SQLite file or postgres:// address")
	flag.StringVar(&cfg.Web, "web", "", "folder with the built page (default: where make web puts it)")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app, err := newApp(ctx, cfg, *transport)
	if err == nil {
		err = demo.Serve(ctx, app, *addr, *open)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func newApp(ctx context.Context, cfg demo.Config, transport string) (*demo.App, error) {
	switch transport {
	case "websocket":
		socket, err := demo.WebSocket()
		if err != nil {
			return nil, err
		}
		return demo.New(ctx, cfg, socket)
	case "poll":
		return demo.New(ctx, cfg, demo.Poll())
	}
	return nil, fmt.Errorf("unknown transport %q: it must be websocket or poll; examples/swap has more", transport)
}
