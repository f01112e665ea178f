package ws

import (
	"strconv"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// Contain runs f on every connection as if it were part of handling a message.
func (s *Server) Contain(f func()) {
	for _, c := range s.all() {
		c.contain(f)
	}
}

// SubscribeAll subscribes every connection, also one that is about to end.
func (s *Server) SubscribeAll(ch realtime.Channel) {
	for _, c := range s.all() {
		s.hub.subscribe(c, ch, subscription{}, nil, s.cfg.MaxChannels)
	}
}

func (s *Server) all() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	var conns []*conn
	for c := range s.conns {
		conns = append(conns, c)
	}
	return conns
}

// FirstServed makes a memory of at most limit calls, and returns the question whether a call is the first of its kind.
func FirstServed(limit int) func(signature string, second int64, now time.Time) bool {
	calls := newServedCalls(limit)
	return func(signature string, second int64, now time.Time) bool {
		return calls.first(signature, strconv.FormatInt(second, 10), now)
	}
}
