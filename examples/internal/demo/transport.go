package demo

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/pusher"
	"github.com/murph-chat/murph/realtime/ws"
)

// Transport is one way for events to reach the browser. It is all that differs between the examples.
type Transport struct {
	Broadcaster realtime.Broadcaster
	Signer      realtime.Signer // nil if there is nothing to sign
	Socket      http.Handler    // nil if the browser connects elsewhere
	Shutdown    func(context.Context) error
	// Outbox says that the transport is out of the house, and events have to wait for it when it is down. A server in this
	// process goes down with it, and the browsers catch up when they come back.
	Outbox bool
	// Run works until its context ends, or Shutdown is through; nil if there is nothing to do.
	Run func(context.Context) error
	// Waker gets the relay that is to look into the outbox when another process may have left something there.
	Waker func(*realtime.Relay)
	// Shown is what the page is told.
	Shown httpadapter.Transport
}

// WebSocket serves the events from this process, with the credentials that a deployment on hosted Pusher has in its
// environment already, or else a secret that lasts as long as the process.
func WebSocket() (Transport, error) { return webSocket(0, nil) }

// Cluster is WebSocket for one of several processes that have a bus between them, and the same credentials in their
// environment. Events wait in the outbox, so that another process sends them when this one dies on the way.
func Cluster(bus ws.Bus) (Transport, error) { return webSocket(0, bus) }

// webSocket serves with another time between two checks of who may still listen, 0 for the default, and with a bus if
// there is one.
func webSocket(interval time.Duration, bus ws.Bus) (Transport, error) {
	var relay atomic.Pointer[realtime.Relay] // made after the server, because it sends through it
	cfg := ws.Config{AppID: "demo", Key: "murph-demo", Secret: rand.Text()}
	if env, err := pusher.ConfigFromEnv(nil); err == nil {
		cfg.AppID, cfg.Key, cfg.Secret = env.AppID, env.Key, env.Secret
	}
	cfg.ClientEvents = []string{"client-typing"}
	cfg.AuthorizeInterval = interval
	cfg.Bus, cfg.Resync = bus, chat.ResyncEvent
	cfg.OnWake = func() {
		if r := relay.Load(); r != nil {
			r.Wake()
		}
	}
	server, err := ws.New(cfg)
	if err != nil {
		return Transport{}, err
	}
	return Transport{
		Broadcaster: server, Signer: server, Socket: server, Shutdown: server.Shutdown,
		Run: server.Run, Outbox: bus != nil, Waker: relay.Store,
		Shown: httpadapter.Transport{Driver: httpadapter.DriverWebSocket, Key: cfg.Key, Presence: true},
	}, nil
}

// Pusher sends the events through hosted Pusher Channels, or through a server that speaks the same protocol.
func Pusher(cfg pusher.Config, shown httpadapter.Transport) (Transport, error) {
	hosted, err := pusher.New(cfg)
	if err != nil {
		return Transport{}, err
	}
	shown.Driver, shown.Key, shown.Cluster, shown.Presence = httpadapter.DriverPusher, cfg.Key, cfg.Cluster, true
	shown.Encrypted = cfg.Privacy == pusher.PrivacyEncrypted
	return Transport{Broadcaster: hosted, Signer: hosted, Outbox: true, Shown: shown}, nil
}

// Poll has no broker at all: the page asks for changes.
func Poll() Transport {
	nowhere := realtime.BroadcasterFunc(func(context.Context, realtime.Event) error { return nil })
	return Transport{Broadcaster: nowhere, Shown: httpadapter.Transport{Driver: httpadapter.DriverPoll}}
}
