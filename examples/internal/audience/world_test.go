package audience

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/pusher"
	"github.com/murph-chat/murph/realtime/ws"
)

const (
	appID  = "1"
	appKey = "app-key"
	secret = "the secret of the model"
)

// transportKind says how the events of a world travel.
type transportKind string

const (
	overWS     transportKind = "ws"     // one server in each process, which do not hear each other
	overBus    transportKind = "bus"    // the same with a bus that loses frames
	overFixed  transportKind = "fixed"  // with a bus and names that do not change
	overPusher transportKind = "pusher" // a server outside of all processes
)

// process is one process of the host application.
type process struct {
	consultations *consultation.Service
	messages      *chat.Service
	relay         *realtime.Relay
	api           http.Handler
	server        *ws.Server // nil over pusher
	bus           *inmem.Bus // nil without one
	socket        string     // the address of the server that its clients connect to
}

// world is a host application of several processes over one store.
type world struct {
	t         *testing.T
	truth     *truth
	store     *recording
	processes []*process

	mu      sync.Mutex // guards what follows
	refused map[consultation.UserID]bool
}

func newWorld(t *testing.T, st store, kind transportKind, processes int) *world {
	t.Helper()
	w := &world{t: t, truth: newTruth(), refused: map[consultation.UserID]bool{}}
	w.store = &recording{store: st, truth: w.truth}
	var hub inmem.BusHub
	var hosted string
	if kind == overPusher {
		hosted = w.serve(w.newServer(ws.Config{}))
	}
	for range processes {
		p := &process{}
		var to realtime.Broadcaster
		var signer realtime.Signer
		transport := httpadapter.Transport{Driver: httpadapter.DriverWebSocket, Key: appKey, FixedChannels: kind == overFixed}
		if kind == overPusher {
			b, err := pusher.New(pusher.Config{
				AppID: appID, Key: appKey, Secret: secret, Host: strings.TrimPrefix(hosted, "http://"), Insecure: true, Logger: quiet,
			})
			require.NoError(t, err)
			to, signer, p.socket = b, b, hosted
			transport.Driver, transport.WSHost = httpadapter.DriverPusher, "localhost"
		} else {
			cfg := ws.Config{AuthorizeInterval: 50 * time.Millisecond}
			if kind == overBus || kind == overFixed {
				p.bus = hub.Node()
				cfg.Bus, cfg.Resync = p.bus, chat.ResyncEvent
			}
			if kind == overFixed {
				cfg.FixedChannel = consultation.FixedChannel
			}
			p.server = w.newServer(cfg)
			to, signer, p.socket = p.server, p.server, w.serve(p.server)
		}
		w.assemble(p, to, signer, transport)
		w.processes = append(w.processes, p)
	}
	return w
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func (w *world) newServer(cfg ws.Config) *ws.Server {
	cfg.AppID, cfg.Key, cfg.Secret, cfg.Logger = appID, appKey, secret, quiet
	cfg.MaxUserConnections, cfg.MaxAddressConnections = -1, -1
	cfg.AddressConnectRate, cfg.ConnectRate = ws.Rate{PerSecond: -1}, ws.Rate{PerSecond: -1}
	server, err := ws.New(cfg)
	require.NoError(w.t, err)
	return server
}

// serve serves clients and the HTTP API of server, and returns the address.
func (w *world) serve(server *ws.Server) string {
	mux := http.NewServeMux()
	mux.Handle("GET /app/{key}", server)
	mux.Handle("/apps/", server.API())
	host := httptest.NewServer(mux)
	w.t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = server.Shutdown(ended) // cuts all connections
		host.Close()
	})
	return host.URL
}

// assemble builds the services of a process. Its relay sends when the test flushes it.
func (w *world) assemble(p *process, to realtime.Broadcaster, signer realtime.Signer, transport httpadapter.Transport) {
	var err error
	p.relay, err = realtime.NewRelay(w.store, to, &realtime.RelayOptions{
		Lease: 2 * time.Second, PublishTimeout: time.Second, Logger: quiet,
	})
	require.NoError(w.t, err)
	p.messages, err = chat.NewService(w.store, p.relay, &chat.Options{Logger: quiet})
	require.NoError(w.t, err)
	p.consultations, err = consultation.NewService(w.store, p.relay, &consultation.Options{Logger: quiet})
	require.NoError(w.t, err)
	p.api, err = httpadapter.New(httpadapter.Config{
		Chat: p.messages, Consultations: p.consultations, Authenticator: httpadapter.AuthenticatorFunc(w.authenticate),
		Signer: signer, Transport: transport, Logger: quiet,
	})
	require.NoError(w.t, err)
	if p.server != nil && p.bus != nil {
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- p.server.Run(ctx) }()
		w.t.Cleanup(func() {
			stop()
			require.NoError(w.t, <-ended)
		})
	}
}

// authenticate lets in every user but those who were suspended.
func (w *world) authenticate(r *http.Request) (consultation.Participant, error) {
	user := consultation.UserID(r.Header.Get("X-User"))
	w.mu.Lock()
	defer w.mu.Unlock()
	if user == "" || w.refused[user] {
		return consultation.Participant{}, errors.New("refused")
	}
	return person(user), nil
}

func person(user consultation.UserID) consultation.Participant {
	role := consultation.RoleStudent
	if strings.HasPrefix(string(user), "patient") {
		role = consultation.RolePatient
	}
	return consultation.Participant{UserID: user, Role: role, FirstName: "A", LastName: "B"}
}

// suspend refuses the user at the door and cuts them off.
func (w *world) suspend(ctx context.Context, p *process, user consultation.UserID) error {
	w.mu.Lock()
	w.refused[user] = true
	w.mu.Unlock()
	return p.consultations.Suspend(context.WithValue(ctx, suspending{}, user), user)
}
