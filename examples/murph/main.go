// Murph is the library as a complete web application: two people chat in the browser, the messages are in SQLite or
// Postgres, and the events come from a WebSocket server inside this process.
//
//	go run ./examples/murph -addr 127.0.0.1:8080 -db murph.db -transport websocket
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func main() {
	var cfg config
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	open := flag.Bool("open", false, "open the two windows in the browser")
	flag.StringVar(&cfg.db, "db", "murph.db", "SQLite file or postgres:// address")
	flag.StringVar(&cfg.transport, "transport", "websocket", "how events reach the browser: websocket")
	flag.StringVar(&cfg.web, "web", "", "folder with the built page (default: where make web puts it)")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, cfg, *addr, *open); err != nil {
		log.Fatal(err)
	}
}

// drainTime is how long a stop waits for requests and connections to end.
const drainTime = 10 * time.Second

func run(ctx context.Context, cfg config, addr string, open bool) (err error) {
	app, err := newApp(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = closeAfter(err, app) }()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: app, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	base := "http://" + listener.Addr().String()
	fmt.Printf("Murph is at %s. Open two windows:\n  %s/?user=patient-1\n  %s/?user=student-1\n", base, base, base)
	if open {
		openBrowser(base + "/?user=patient-1")
		openBrowser(base + "/?user=student-1")
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	return errors.Join(app.Shutdown(drain), server.Shutdown(drain))
}

// openBrowser does what it can: on a machine without a browser the printed addresses have to do.
func openBrowser(url string) {
	command := map[string][]string{
		"darwin":  {"open"},
		"windows": {"rundll32", "url.dll,FileProtocolHandler"},
	}[runtime.GOOS]
	if command == nil {
		command = []string{"xdg-open"}
	}
	cmd := exec.Command(command[0], append(command[1:], url)...)
	if err := cmd.Start(); err == nil {
		_ = cmd.Process.Release() // the browser outlives us
	}
}

// closeAfter closes c and joins its error with err.
func closeAfter(err error, c io.Closer) error { return errors.Join(err, c.Close()) }
