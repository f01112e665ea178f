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
	"os"
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
		return serveMurph()
	case "centrifuge":
		return serveCentrifuge()
	}
	return fmt.Errorf("no server of the kind %q", kind)
}

func serveMurph() error {
	srv, err := ws.New(ws.Config{
		AppID: "1", Key: "app-key", Secret: "app-secret", ActivityTimeout: silence, ConnectRate: ws.Rate{PerSecond: -1},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	return serveHTTP(srv, func(channel string, data []byte) error {
		return srv.Broadcast(context.Background(), realtime.Event{
			Channel: realtime.Channel(channel), Name: "message.new", Data: data,
		})
	})
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
	host := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
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
