//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/centrifugal/centrifuge"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/ws"
)

// kinds are the servers, in the order of the report.
var kinds = []string{"bare", "joined", "murph", "centrifuge"}

// silence is long enough that no server pings within a run.
const silence = 10 * time.Minute

// serve runs a server until its standard input ends. It prints the two addresses.
func serve(kind string) error {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	switch kind {
	case "bare":
		return serveBare(false)
	case "joined":
		return serveBare(true)
	case "murph":
		return serveMurph(ws.Config{ActivityTimeout: silence, ConnectRate: ws.Rate{PerSecond: -1}})
	case "besieged":
		return serveBesieged()
	case "centrifuge":
		return serveCentrifuge()
	}
	return fmt.Errorf("no server of the kind %q", kind)
}

func newMurph(cfg ws.Config) (*ws.Server, func(channel string, data []byte) error, error) {
	cfg.AppID, cfg.Key, cfg.Secret = "1", "app-key", "app-secret"
	cfg.Logger = slog.New(slog.DiscardHandler)
	srv, err := ws.New(cfg)
	return srv, func(channel string, data []byte) error {
		return srv.Broadcast(context.Background(), realtime.Event{
			Channel: realtime.Channel(channel), Name: "message.new", Data: data,
		})
	}, err
}

func serveMurph(cfg ws.Config) error {
	srv, publish, err := newMurph(cfg)
	if err != nil {
		return err
	}
	return serveHTTP(srv, publish)
}

// bulk is a channel with an event of 10 kB a hundred times a second: no client can keep up with it at a byte a second.
const bulk = "bulk"

// serveBesieged has the limits of a server that strangers reach, with shorter times, so that every attack ends within a
// round, and a ping that no client of the load has to answer. Each attacker has an address of its own.
func serveBesieged() error {
	srv, publish, err := newMurph(ws.Config{
		ActivityTimeout: siegeActivity, PongTimeout: siegePong,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		// The load has one address, and is connected at once.
		ConnectRate: ws.Rate{PerSecond: 500, Burst: 2000},
	})
	if err != nil {
		return err
	}
	go func() {
		data := fmt.Appendf(nil, `"%s"`, strings.Repeat("x", 10_000))
		for range time.Tick(time.Second / 100) {
			_ = publish(bulk, data)
		}
	}()
	if err := serveHTTP(srv, publish); err != nil {
		return err
	}
	select {} // the load has ended, the attack has not
}

func serveCentrifuge() error {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return err
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "1"}}, nil
	})
	node.OnConnect(func(c *centrifuge.Client) {
		c.OnSubscribe(func(_ centrifuge.SubscribeEvent, reply centrifuge.SubscribeCallback) {
			reply(centrifuge.SubscribeReply{}, nil)
		})
	})
	if err := node.Run(); err != nil {
		return err
	}
	h := centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		PingPongConfig: centrifuge.PingPongConfig{PingInterval: silence, PongTimeout: time.Minute},
	})
	return serveHTTP(h, func(channel string, data []byte) error {
		_, err := node.Publish(channel, data)
		return err
	})
}

func serveHTTP(h http.Handler, publish func(string, []byte) error) error {
	clients, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(clients.Addr(), control.Addr())
	failed := make(chan error, 1)
	host := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	go func() { failed <- host.Serve(clients) }()
	return errors.Join(publications(control, publish), func() error {
		select {
		case err := <-failed:
			return err
		default:
			return nil
		}
	}())
}
