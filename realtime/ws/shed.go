package ws

import (
	"cmp"
	"slices"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// crowded reports that so much waits for slow clients that there should be no more clients.
func (s *Server) crowded() bool {
	return s.traffic.queued.Load() > int64(s.cfg.MaxQueueMemory)/5*4
}

// shed closes the connections that most waits for until what waits for all is within MaxQueueMemory. What a drainer is
// writing counts until its write ends, at most the write timeout later.
func (s *Server) shed() {
	excess := s.traffic.queued.Load() - int64(s.cfg.MaxQueueMemory)
	if excess <= 0 || !s.shedding.TryLock() {
		return
	}
	defer s.shedding.Unlock()
	type load struct {
		conn  *conn
		bytes int
	}
	var loads []load
	s.mu.Lock()
	for c := range s.conns {
		if n := c.wire.droppable(); n > 0 {
			loads = append(loads, load{c, n})
		}
	}
	s.mu.Unlock()
	slices.SortFunc(loads, func(a, b load) int { return cmp.Compare(b.bytes, a.bytes) })
	for _, l := range loads {
		if excess <= 0 {
			return
		}
		if l.conn.close(pusherproto.CodeOverCapacity, "too slow", true) {
			l.conn.slow("too much waits for all", "MaxQueueMemory")
		}
		excess -= int64(l.bytes)
	}
}
