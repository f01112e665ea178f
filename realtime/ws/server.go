package ws

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
	"github.com/murph-chat/murph/realtime/ws/internal/cluster"
)

// Server is the endpoint that clients connect to, the broadcaster that reaches them, and the signer of their
// subscriptions. All methods are safe for concurrent use.
type Server struct {
	cfg     Config
	signer  pusherproto.Signer
	hub     *hub
	notices *noticeLog
	served  *servedCalls
	hooks   *webhooks
	fanout  *fanout
	node    *cluster.Node // nil without a Bus
	resyncs *resyncs
	traffic traffic
	limits  *limitLog

	shedding sync.Mutex // held by the goroutine that sheds load

	door     *door
	refusals atomic.Int64 // connections that are being refused

	mu            sync.Mutex // guards what follows
	conns         map[*conn]struct{}
	draining      bool
	authorizeWith realtime.AuthorizeFunc // or nil
	idle          chan struct{}          // closed when draining and no connection is left
	stopSweep     context.CancelFunc     // nil if it has not started
	sweepDone     chan struct{}          // closed when it has ended
	sweepNow      chan struct{}          // has a token when the next round is not to wait
	stopRun       context.CancelFunc     // nil if Run was not called
	runDone       chan struct{}          // closed when it has returned

	closes             codes
	endedSubscriptions atomic.Uint64
	lastPanic          atomic.Int64
	warned             sync.Once

	messagesIn, messagesOut, slowCloses, refusedConnections, refusedSubscriptions atomic.Uint64
	apiCalls, apiRefusals                                                         atomic.Uint64
}

var (
	_ http.Handler         = (*Server)(nil)
	_ realtime.Broadcaster = (*Server)(nil)
	_ realtime.Signer      = (*Server)(nil)
	_ realtime.Revoker     = (*Server)(nil)
	_ realtime.Terminator  = (*Server)(nil)
	_ realtime.Rechecker   = (*Server)(nil)
)

// New makes a Server. The error names everything that is wrong with cfg. The Server starts no goroutine until a client
// connects.
func New(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg:     cfg,
		signer:  pusherproto.Signer{Credentials: cfg.credentials(), BindPrivate: true, Stamp: true},
		notices: newNoticeLog(),
		door:    newDoor(cfg),
		served:  newServedCalls(maxServedCalls),
		limits:  newLimitLog(cfg.Logger),
		conns:   make(map[*conn]struct{}),
		idle:    make(chan struct{}),

		sweepNow: make(chan struct{}, 1),
	}
	s.notices.panicked = s.panicked
	s.hub = newHub(cfg, s.notices)
	s.fanout = newFanout(s)
	s.hooks = newWebhooks(cfg)
	if len(cfg.Webhooks) > 0 {
		s.notices.to, s.notices.takeBack = s.hooks.receive, s.hooks.takeBack
	}
	if err := s.join(); err != nil {
		return nil, err
	}
	return s, nil
}

// ServeHTTP upgrades the request to a WebSocket connection and returns; the connection lives on. The application key
// is the path value "key" if the host's pattern has one, and otherwise what follows "/app/" at the end of the path, so
// the server works below any prefix, stripped or not. A request that is no
// WebSocket handshake gets an HTTP status: 404 on paths without a key, 405 for
// other methods than GET, 426 for a GET without an upgrade, 400 and 501 for
// handshakes that cannot be carried out. Any other request is upgraded, and
// refused with a close code if need be.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.warned.Do(func() { s.lookAt(r) })
	if !headerHas(r.Header, "Upgrade", "websocket") {
		if _, ok := appKey(r); !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", http.MethodGet)
			http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
			return
		}
	}
	sock, wire, err := accept(w, r, &s.cfg, &s.traffic)
	if err != nil {
		s.logNoHijack(err)
		return // it has answered
	}
	why := s.admit(r)
	if why == (refusal{}) {
		c := newConn(s, newSocketID(), s.cfg.clientAddr(r), sock, wire)
		if why = s.add(c); why == (refusal{}) {
			c.startLifetime()
			c.start(pusherproto.ConnectionEstablished(c.id, int(s.cfg.ActivityTimeout/time.Second)))
			return
		}
	}
	s.logRefusal(r, why)
	s.refuse(sock, wire, why.code, why.reason)
}

// lookAt warns of a host that lets a client take for ever over its request, or over the next one: nothing of this package
// can see that.
func (s *Server) lookAt(r *http.Request) {
	host, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if !ok || host.ReadTimeout > 0 {
		return
	}
	if host.ReadHeaderTimeout <= 0 {
		s.cfg.Logger.Warn("ws: the http.Server has neither ReadHeaderTimeout nor ReadTimeout, " +
			"so slow requests can use up its connections")
	}
	if host.IdleTimeout <= 0 {
		s.cfg.Logger.Warn("ws: the http.Server has neither IdleTimeout nor ReadTimeout, " +
			"so silent clients can use up its connections")
	}
}

// maxRefusals is how many clients at once are given the time to answer the close code of their refusal. A flood of
// requests would hold one goroutine and one socket each.
const maxRefusals = 1000

// refuse ends a connection before it is one: with an error frame for those who read that, and the close code. It
// gives the client CloseTimeout to answer, in the request's own goroutine.
func (s *Server) refuse(sock *socket, w *wire, code pusherproto.Code, reason string) {
	s.refusedConnections.Add(1)
	s.closes.add(code)
	w.push(textFrame(pusherproto.Error(code, reason)))
	w.finish(closeFrame(code, reason), false)
	defer s.refusals.Add(-1)
	for polite := s.refusals.Add(1) <= maxRefusals; polite; {
		_, _, err := sock.read()
		if errors.Is(err, errIdle) {
			w.await()
		} else if err != nil {
			break
		}
	}
	sock.close()
	w.shut()
}

// add registers c, unless the server is full or shutting down. Clients come back after a second then, hopefully to
// another process.
func (s *Server) add(c *conn) refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.draining:
		return overCapacity("Shutting down", "")
	case len(s.conns) >= s.cfg.MaxConnections:
		return overCapacity("Over capacity", "MaxConnections")
	case s.crowded():
		return overCapacity("Over capacity", "MaxQueueMemory")
	}
	if why := s.door.enter(c.from, time.Now()); why != (refusal{}) {
		return why
	}
	s.conns[c] = struct{}{}
	s.startSweepLocked()
	return refusal{}
}

func (s *Server) remove(c *conn) {
	s.door.leave(c.from)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.draining && len(s.conns) == 0 {
		close(s.idle)
	}
}

// Broadcast implements [realtime.Broadcaster]. It hands the event over to the goroutine that writes to the channel's
// subscribers and returns. It never waits for a client, but for that goroutine when several hundred events are in front
// of it, until ctx ends. nil says that the event is on its way, also when nobody is subscribed. With [Config.Bus] the
// other nodes get it too, once it is on its way here; a bus that is down is no error, but a node that has left is.
func (s *Server) Broadcast(ctx context.Context, ev realtime.Event) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("ws: broadcast: %w", err)
	}
	if err := ev.Validate(); err != nil {
		return fmt.Errorf("ws: broadcast: %w", err)
	}
	if err := s.deliver(ctx, ev); err != nil {
		return fmt.Errorf("ws: broadcast: %w", err)
	}
	return nil
}

// deliver sends an event that has been checked to its channel's subscribers, encoded once for all, and to the other
// nodes: those who are here come first, so that a bus that is down concerns the others only.
func (s *Server) deliver(ctx context.Context, ev realtime.Event) error {
	if err := s.address(&ev); err != nil {
		return err
	}
	if pusherproto.IsCache(ev.Channel) {
		s.hub.publish(ev)
		return s.share(cluster.Event{
			Channel: ev.Channel, Except: ev.Except, Name: ev.Name, Data: string(ev.Data), Audience: ev.Audience,
		})
	}
	here := s.hub.hasSubscribers(ev.Channel) // who comes later does not get it either
	if !here && s.node == nil {
		return nil
	}
	message := pusherproto.AppendEvent(nil, ev)
	if here {
		err := s.fanout.post(ctx, shipment{
			channel: ev.Channel, frame: textFrame(message), except: ev.Except, audience: ev.Audience,
		})
		if err != nil {
			return err
		}
	}
	return s.share(cluster.Event{Channel: ev.Channel, Except: ev.Except, Message: message, Audience: ev.Audience})
}

// deliverHere sends e.Message to the channel's subscribers on this node.
func (s *Server) deliverHere(ctx context.Context, e cluster.Event) error {
	if !s.hub.hasSubscribers(e.Channel) {
		return nil
	}
	return s.fanout.post(ctx, shipment{
		channel: e.Channel, frame: textFrame(e.Message), except: e.Except, audience: e.Audience,
	})
}

// relayClientEvent passes on what a client has sent.
func (s *Server) relayClientEvent(ch realtime.Channel, message []byte, from realtime.SocketID) {
	e := cluster.Event{Channel: ch, Except: from, Message: message}
	_ = s.deliverHere(context.Background(), e) // a shard never waits for long
	_ = s.share(e)
}

// AppKey returns the key that clients connect with, which is public.
func (s *Server) AppKey() string { return s.cfg.Key }

// SignChannel implements [realtime.Signer]. With a member, a subscription to a private channel is tied to its user id,
// so that it can be ended when the person may no longer listen.
func (s *Server) SignChannel(id realtime.SocketID, ch realtime.Channel, m *realtime.Member) (realtime.Grant, error) {
	return s.signer.SignChannel(id, ch, m)
}

// SignUser implements [realtime.Signer].
func (s *Server) SignUser(id realtime.SocketID, m realtime.Member) (realtime.UserGrant, error) {
	return s.signer.SignUser(id, m)
}

// panicked logs a panic that was contained, at most once a second with its stack: what a client can cause once, it can
// cause ten thousand times.
func (s *Server) panicked(p any, attrs ...slog.Attr) {
	now := ticks(time.Now())
	last := s.lastPanic.Load()
	if now-last >= int64(time.Second) && s.lastPanic.CompareAndSwap(last, now) {
		attrs = append(attrs, slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
	} else {
		attrs = append(attrs, slog.String("panic", fmt.Sprintf("%T", p)))
	}
	s.cfg.Logger.LogAttrs(context.Background(), slog.LevelError, "ws: panic", attrs...)
}

// newSocketID makes an id that cannot be guessed, because it is part of what is signed, and that no other process
// makes: twice 64 random bits.
func newSocketID() realtime.SocketID {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand, Go 1.24)
	id := strconv.AppendUint(nil, binary.BigEndian.Uint64(b[:8]), 10)
	id = strconv.AppendUint(append(id, '.'), binary.BigEndian.Uint64(b[8:]), 10)
	return realtime.SocketID(id)
}
