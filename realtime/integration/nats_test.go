package integration_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/natsbus"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

// natsProbe makes a silent connection known soon enough for a test.
const natsProbe = 500 * time.Millisecond

func TestNATS(t *testing.T) {
	t.Parallel()
	realtimetest.RunBus(t, realtimetest.BusHarness{Open: func(tb testing.TB) realtimetest.BusEngine {
		_, engine := openNATS(tb)
		return engine
	}})
}

// TestNATSKills is TestNATS with connections that the server itself ends.
func TestNATSKills(t *testing.T) {
	t.Parallel()
	realtimetest.RunBus(t, realtimetest.BusHarness{Open: func(tb testing.TB) realtimetest.BusEngine {
		s, engine := openNATS(tb)
		engine.Restart, engine.Cut, engine.Stall, engine.Heal = nil, nil, nil, nil
		engine.Kick = func(tb testing.TB) {
			all, err := s.server.Connz(nil)
			if err != nil {
				tb.Fatal(err)
			}
			for _, c := range all.Conns {
				_ = s.server.DisconnectClientByID(c.Cid) // it may have gone by itself
			}
		}
		return engine
	}})
}

// natsServer is a server in this process.
type natsServer struct {
	server *server.Server
	proxy  *realtimetest.Proxy // between the server and the nodes
	port   int
}

func (s *natsServer) start(tb testing.TB) {
	tb.Helper()
	port := s.port
	if port == 0 {
		port = server.RANDOM_PORT
	}
	var err error
	s.server, err = server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoLog: true, NoSigs: true})
	if err != nil {
		tb.Fatal(err)
	}
	go s.server.Start()
	if !s.server.ReadyForConnections(patience) {
		tb.Fatal("the server is not ready")
	}
	s.port = s.server.Addr().(*net.TCPAddr).Port
}

func (s *natsServer) stop() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

// openNATS starts a server, and a proxy between it and the nodes.
func openNATS(tb testing.TB) (*natsServer, realtimetest.BusEngine) {
	s := new(natsServer)
	s.start(tb)
	tb.Cleanup(func() { s.stop() })
	proxy := listenProxy(tb, s.server.Addr().String())
	s.proxy = proxy
	return s, realtimetest.BusEngine{
		Node: func(tb testing.TB) realtime.Bus {
			return newNATS(tb, natsConn(tb, proxy.Addr()), "murph")
		},
		Kick: func(testing.TB) { proxy.Kick() },
		Restart: func(tb testing.TB) {
			s.stop()
			s.start(tb)
		},
		Cut:    func(testing.TB) { proxy.Cut() },
		Stall:  func(testing.TB) { proxy.Stall() },
		Heal:   func(testing.TB) { proxy.Heal() },
		Notice: 3 * natsProbe,
		Inject: func(tb testing.TB, name string, payload []byte) {
			conn := natsConn(tb, s.server.Addr().String())
			if err := conn.Publish("murph."+name, payload); err != nil {
				tb.Fatal(err)
			}
			if err := conn.Flush(); err != nil {
				tb.Fatal(err)
			}
		},
	}
}

// natsConn connects as the documentation of natsbus says, with shorter waits.
func natsConn(tb testing.TB, addr string) *nats.Conn {
	conn, err := nats.Connect("nats://"+addr,
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1),
		nats.ReconnectWait(20*time.Millisecond), nats.ReconnectJitter(10*time.Millisecond, 10*time.Millisecond),
		nats.PingInterval(5*time.Second), nats.MaxPingsOutstanding(2), nats.FlusherTimeout(5*time.Second),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})) // the tests break much
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(conn.Close)
	return conn
}

func newNATS(tb testing.TB, conn *nats.Conn, prefix string) *natsbus.Bus {
	bus, err := natsbus.New(conn, &natsbus.Options{Prefix: prefix, Probe: natsProbe})
	if err != nil {
		tb.Fatal(err)
	}
	return bus
}

// With the client's own options the connection would keep what is published while it reconnects.
func TestNATSKeepsNothing(t *testing.T) {
	t.Parallel()
	s, engine := openNATS(t)
	engine.Cut(t)
	conn, err := nats.Connect("nats://"+s.proxy.Addr(), nats.RetryOnFailedConnect(true), nats.ReconnectWait(20*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	bus, other := newNATS(t, conn, "murph"), watchBus(t, newNATS(t, natsConn(t, s.server.Addr().String()), "murph"))
	w := &watched{ups: make(chan struct{}, 1), downs: make(chan error, 1), frames: make(chan string, 10)}
	runBus(t, bus, w)
	require.Error(t, <-w.downs)
	require.ErrorIs(t, bus.Publish(t.Context(), 0, []byte("too early")), nats.ErrDisconnected)
	engine.Heal(t)
	<-w.ups
	require.NoError(t, bus.Publish(t.Context(), 0, []byte("in time")))
	require.Equal(t, "in time", other.next(t))
}

// A connection that has been closed does not come back.
func TestNATSClosed(t *testing.T) {
	t.Parallel()
	s, _ := openNATS(t)
	conn := natsConn(t, s.server.Addr().String())
	bus := newNATS(t, conn, "murph")
	ups := make(chan struct{}, 1)
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() { ended <- bus.Run(ctx, busName, &watched{ups: ups}) }()
	<-ups
	conn.Close()
	require.ErrorIs(t, <-ended, nats.ErrConnectionClosed)
	require.ErrorIs(t, bus.Run(ctx, busName, &watched{}), nats.ErrConnectionClosed)
	require.Error(t, bus.Publish(ctx, 0, nil))
}

func TestNATSPrefixesAreApart(t *testing.T) {
	t.Parallel()
	s, _ := openNATS(t)
	conn := natsConn(t, s.server.Addr().String())
	one, two := watchBus(t, newNATS(t, conn, "one")), watchBus(t, newNATS(t, conn, "two"))
	require.NoError(t, one.bus.Publish(t.Context(), 0, []byte("for one")))
	require.NoError(t, two.bus.Publish(t.Context(), 0, []byte("for two")))
	require.Equal(t, "for one", one.next(t))
	require.Equal(t, "for two", two.next(t))
}
