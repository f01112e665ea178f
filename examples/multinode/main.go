// Multinode runs three processes of the web application behind a small proxy, with an engine between them that carries
// events, presence and revocations from one to the others:
//
//	go run ./examples/multinode
//	go run ./examples/multinode -engine redis             (starts redis-server)
//	go run ./examples/multinode -engine redis -engine-addr redis:6379
//	go run ./examples/multinode -engine postgres -engine-addr postgres://… -db postgres://…
//
// The default engine is a NATS server inside this process, so that nothing has to be installed. With -rolling it lets a
// crowd of clients chat, restarts one process after the other under them, and prints what they have noticed:
//
//	go run ./examples/multinode -rolling
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/murph-chat/murph/examples/internal/crowd"
)

func main() {
	if child := os.Getenv(envNode); child != "" {
		if err := runNode(child); err != nil {
			log.Fatal(err)
		}
		return
	}
	var cfg settings
	flag.StringVar(&cfg.addr, "addr", "127.0.0.1:8080", "address of the proxy")
	flag.IntVar(&cfg.nodes, "nodes", 3, "number of processes")
	flag.StringVar(&cfg.engine, "engine", engineNATS, "nats, redis or postgres")
	flag.StringVar(&cfg.engineAddr, "engine-addr", "", "an engine that runs already (default: start one)")
	flag.StringVar(&cfg.db, "db", "", "postgres:// address or path of an SQLite file (default: an SQLite file that is removed at the end)")
	flag.StringVar(&cfg.web, "web", "", "folder with the built page (default: where make web puts it)")
	flag.BoolVar(&cfg.rolling, "rolling", false, "restart all processes under load, print the figures and end")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, cfg); err != nil {
		log.Fatal(err)
	}
}

// settings are what the flags say.
type settings struct {
	addr, engine, engineAddr, db, web string
	nodes                             int
	rolling                           bool
}

func run(ctx context.Context, cfg settings) (err error) {
	dir, err := os.MkdirTemp("", "murph-multinode-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if cfg.db == "" {
		cfg.db = filepath.Join(dir, "murph.db")
	}
	if cfg.engineAddr == "" {
		e, err := startEngine(ctx, cfg.engine, dir)
		if err != nil {
			return err
		}
		defer e.stop()
		cfg.engineAddr = e.addr
	}
	fleet, err := startFleet(ctx, cfg)
	if err != nil {
		return err
	}
	defer fleet.stop()
	listener, err := net.Listen("tcp", cfg.addr)
	if err != nil {
		return err
	}
	proxy := &http.Server{Handler: fleet.proxy, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- proxy.Serve(listener) }()
	defer func() { _ = proxy.Close() }()
	fmt.Printf("Murph is at http://%s, on %d processes with %s between them. Open two windows:\n"+
		"  http://%[1]s/?user=patient-1\n  http://%[1]s/?user=student-1\n", cfg.addr, cfg.nodes, cfg.engine)
	if cfg.rolling {
		return rolling(ctx, fleet, "http://"+cfg.addr)
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return fleet.drain()
	}
}

// rolling restarts every process under load and prints what the clients have noticed.
func rolling(ctx context.Context, f *fleet, url string) error {
	c, err := crowd.Open(ctx, crowd.Config{URL: url})
	if err != nil {
		return err
	}
	defer c.Close()
	c.Mark()
	writing, stop := context.WithCancel(ctx)
	defer stop()
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.Write(writing)
	}()
	pause(ctx, 3*time.Second)
	for i := range f.nodes {
		slog.Info("restart", slog.Int("node", i))
		if err := f.restart(ctx, i); err != nil {
			return err
		}
		pause(ctx, 3*time.Second)
	}
	stop()
	<-written
	converging, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	took, err := c.Converge(converging)
	if err != nil {
		return err
	}
	report, err := c.Report(ctx)
	fmt.Printf("everybody has everything after %s\n%s\n", took.Round(time.Millisecond), report)
	return err
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
