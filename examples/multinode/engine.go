package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"

	"github.com/murph-chat/murph/realtime/natsbus"
	"github.com/murph-chat/murph/realtime/pgbus"
	"github.com/murph-chat/murph/realtime/redisbus"
	"github.com/murph-chat/murph/realtime/ws"
)

// The engines that there can be between the processes.
const (
	engineNATS     = "nats"
	engineRedis    = "redis"
	enginePostgres = "postgres"
)

// openBus is all that the engines differ in. The second result lets go of the connection.
func openBus(ctx context.Context, engine, addr string) (ws.Bus, func(), error) {
	switch engine {
	case engineNATS:
		conn, err := nats.Connect("nats://"+addr, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
			nats.ReconnectWait(200*time.Millisecond), nats.ReconnectBufSize(-1))
		if err != nil {
			return nil, nil, err
		}
		bus, err := natsbus.New(conn, nil)
		return bus, conn.Close, err
	case engineRedis:
		client := redis.NewClient(&redis.Options{Addr: addr, Protocol: 2})
		bus, err := redisbus.New(client, nil)
		return bus, func() { _ = client.Close() }, err
	case enginePostgres:
		cfg, err := pgx.ParseConfig(addr)
		if err != nil {
			return nil, nil, errors.New("the address of the engine is not that of a PostgreSQL")
		}
		bus, err := pgbus.New(cfg, nil)
		return bus, func() {}, err
	}
	return nil, nil, fmt.Errorf("unknown engine %q: it must be nats, redis or postgres", engine)
}

// engine is one that this program has started.
type engine struct {
	addr  string
	start func() error // again, at the same address, after stop
	stop  func()
}

// startEngine starts an engine on a free port of this machine, with its files in dir.
func startEngine(ctx context.Context, name, dir string) (*engine, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	e := &engine{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	switch name {
	case engineNATS:
		e.serveNATS(port)
	case engineRedis:
		e.serveRedis(ctx, port, dir)
	default:
		return nil, fmt.Errorf("-engine %s needs -engine-addr", name)
	}
	return e, e.start()
}

func (e *engine) serveNATS(port int) {
	var srv *server.Server
	e.start = func() (err error) {
		srv, err = server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true})
		if err != nil {
			return err
		}
		go srv.Start()
		if !srv.ReadyForConnections(10 * time.Second) {
			return errors.New("the NATS server does not start")
		}
		return nil
	}
	e.stop = func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
}

func (e *engine) serveRedis(ctx context.Context, port int, dir string) {
	var cmd *exec.Cmd
	e.start = func() error {
		cmd = exec.Command("redis-server", "--port", strconv.Itoa(port), "--bind", "127.0.0.1",
			"--save", "", "--appendonly", "no", "--dir", dir)
		cmd.Stdout, cmd.Stderr = io.Discard, os.Stderr
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("start redis-server, or name one with -engine-addr: %w", err)
		}
		return answers(ctx, e.addr)
	}
	e.stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // "signal: killed"
	}
}

// answers waits until something listens on addr.
func answers(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			return conn.Close()
		}
		if ctx.Err() != nil {
			return err
		}
		pause(ctx, 20*time.Millisecond)
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
