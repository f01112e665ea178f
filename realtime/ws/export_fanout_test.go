//go:build unix

package ws

import (
	"net/netip"

	"github.com/murph-chat/murph/realtime"
)

// AttachSinks subscribes n connections to ch whose sockets take everything at once and cost nothing.
func (s *Server) AttachSinks(n int, ch realtime.Channel) {
	for range n {
		w := newWire(nil, nil, &s.cfg, &s.traffic)
		w.raw.conn = sinkConn{}
		w.raw.send = func(_ int, p []byte) (int, error) { return len(p), nil }
		c := newConn(s, newSocketID(), netip.Addr{}, nil, w)
		s.hub.subscribe(c, ch, subscription{})
	}
}

// sinkConn is a socket to nowhere.
type sinkConn struct{}

func (sinkConn) Control(f func(uintptr)) error {
	f(0)
	return nil
}

func (sinkConn) Read(func(uintptr) bool) error { return nil }

func (sinkConn) Write(func(uintptr) bool) error { return nil }
