package ws_test

import (
	"errors"
	"net"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

const (
	// heapCap is what one attack may cost while it lasts, in bytes of live heap, the attacker's own included: it is in the
	// same process.
	heapCap = 16 << 20
	// heapRest is what may be left of it, for pools and the runtime.
	heapRest = 4 << 20
)

// attack is what one kind of hostile client does.
type attack struct {
	name   string
	change func(*ws.Config)
	want   int // the close code, or 0 for a connection that stays, or that has never been one
	run    func(*siege) int
}

// siege is a server under one attack.
type siege struct {
	*fixture
	addr string
	base census
}

// TestHostileClients has one kind of hostile client after the other do its worst. Each ends with the documented code or
// answer, somebody else is served at the same time, and afterwards the process is as it was. What all of them together
// do to the time that others wait is measured by bench -hostile. It is not parallel, because it counts what the whole
// process has.
func TestHostileClients(t *testing.T) {
	t.Run("nobody", func(t *testing.T) { besiege(t, census{}, func(*ws.Config) {}).serves() }) // opens what stays open
	for _, a := range attacks {
		before := takeCensus()
		t.Run(a.name, func(t *testing.T) {
			change := a.change
			if change == nil {
				change = patient
			}
			s := besiege(t, before, change)
			require.Equal(t, a.want, a.run(s))
			s.serves()
			if a.want != 0 {
				require.Positive(t, s.Stats().Closes[a.want])
			}
			s.capped()
		})
		before.isBack(t, a.name)
	}
}

// patient makes all times longer than a test takes on the slowest machine.
func patient(c *ws.Config) {
	c.ActivityTimeout, c.WriteTimeout, c.CloseTimeout = time.Hour, 10*time.Minute, 10*time.Minute
}

// impatient is for attacks that end by a time.
func impatient(c *ws.Config) {
	c.ActivityTimeout, c.PongTimeout, c.CloseTimeout = time.Second, 2*time.Second, time.Second
}

// besiege starts a server behind an http.Server as a host has it.
func besiege(t *testing.T, base census, change func(*ws.Config)) *siege {
	t.Helper()
	srv, err := ws.New(config(change))
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	host := &http.Server{Handler: srv, ReadHeaderTimeout: time.Second}
	addr := listener.Addr().String()
	s := &siege{fixture: &fixture{Server: srv, t: t, base: "ws://" + addr}, addr: addr, base: base}
	served := make(chan error, 1)
	go func() { served <- host.Serve(listener) }()
	t.Cleanup(func() {
		_ = srv.Shutdown(ended())
		_ = host.Close()
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return s
}

// serves shows that somebody else can connect, subscribe and get an event.
func (s *siege) serves() {
	s.t.Helper()
	c, err := s.dialPath(path, nil)
	require.NoError(s.t, err)
	s.subscribe(c, "private-somebody-else")
	s.broadcast("private-somebody-else", `"served"`)
	frame, err := c.NextEvent(s.t.Context())
	require.NoError(s.t, err)
	require.Equal(s.t, `"served"`, string(frame.Data))
	c.Cut()
}

// capped compares the heap with what an attack may cost. An attack calls it at its height.
func (s *siege) capped() {
	s.t.Helper()
	require.Less(s.t, takeCensus().heap, s.base.heap+heapCap)
}

// raw opens connections below the protocol.
func (s *siege) raw(n int) []net.Conn {
	s.t.Helper()
	conns := make([]net.Conn, n)
	for i := range conns {
		conn, err := net.Dial("tcp", s.addr)
		require.NoError(s.t, err)
		s.t.Cleanup(func() { _ = conn.Close() })
		conns[i] = conn
	}
	return conns
}

// mute opens connections of clients that answer nothing.
func (s *siege) mute(n int) []*realtimetest.Client {
	s.t.Helper()
	clients := make([]*realtimetest.Client, n)
	for i := range clients {
		c, err := s.dialPath(path, &realtimetest.DialOptions{Mute: true})
		require.NoError(s.t, err)
		clients[i] = c
	}
	return clients
}

// sends sends messages until there are no more, or the server does not take them.
func (s *siege) sends(c *realtimetest.Client, message func(i int) (text string, more bool)) {
	s.background(func() error {
		for i := 0; ; i++ {
			text, more := message(i)
			if !more || c.SendText(s.t.Context(), text) != nil {
				return nil
			}
		}
	})
}

// refusal is the status of a refused subscription.
func (s *siege) refusal(c *realtimetest.Client, ch realtime.Channel, g realtime.Grant) string {
	s.t.Helper()
	var refused *realtimetest.RefusedError
	require.ErrorAs(s.t, c.Subscribe(s.t.Context(), ch, g), &refused)
	return string(refused.Data)
}

// census is what the process has.
type census struct {
	goroutines, descriptors int
	heap                    uint64
}

func takeCensus() census {
	runtime.GC()
	runtime.GC() // for what the pools hold
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return census{runtime.NumGoroutine(), descriptors(), m.HeapAlloc}
}

// descriptors are the file descriptors of this process, 0 where there is no way to know.
func descriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	return len(entries)
}

// isBack waits until the process has no more than at the census. What is closed is not gone at once.
func (c census) isBack(t *testing.T, after string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; runtime.Gosched() {
		if runtime.NumGoroutine() <= c.goroutines && descriptors() <= c.descriptors {
			break
		}
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			require.Fail(t, "something is left", "after %q: before %+v, now %+v\n%s",
				after, c, takeCensus(), buf[:runtime.Stack(buf, true)])
		}
	}
	require.Less(t, takeCensus().heap, c.heap+heapRest, after)
}
