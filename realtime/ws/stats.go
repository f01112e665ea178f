package ws

import (
	"maps"
	"sync"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// Stats are the server's figures at one moment. The numbers of different fields need not be from the same instant.
type Stats struct {
	Connections   int // open ones
	Channels      int // with at least one subscriber on this node
	Subscriptions int // of all connections

	QueuedBytes int // wait for clients that do not take them

	// Counted since New.
	MessagesIn           uint64 // from clients
	MessagesOut          uint64 // given to the kernel or put into queues, one for each connection that was let in
	BytesIn              uint64 // from clients, frame headers and control frames included, the handshake not
	BytesOut             uint64 // likewise, to clients
	SlowCloses           uint64 // connections closed because they did not keep up
	RefusedConnections   uint64
	RefusedSubscriptions uint64
	EndedSubscriptions   uint64 // because their users may no longer listen
	// Closes counts the connections that the server has refused or closed, by close code.
	Closes          map[int]uint64
	APICalls        uint64 // calls of the HTTP API that were served
	APIRefusals     uint64 // and those that were refused
	WebhookEvents   uint64 // events that an endpoint has taken, one for each endpoint
	WebhookFailures uint64 // attempts that failed
	WebhookDrops    uint64 // events that were given up or had no room, one for each endpoint

	// Of the cluster; all zero without a Bus.
	BusUp            bool
	Nodes            int    // others that are alive
	BusFramesIn      uint64 // from other nodes
	BusFramesOut     uint64
	BusFramesFailed  uint64 // that the bus did not take
	BusFramesRefused uint64 // that no node with the same version and secret has made; they change nothing else
	BusDrops         uint64 // events that were one too many in front of the bus
	BusGaps          uint64 // losses that were noticed
	Resyncs          uint64 // channels whose subscribers were told to fetch what they may have missed
}

// Stats returns the current figures.
func (s *Server) Stats() Stats {
	st := Stats{
		QueuedBytes:          int(s.traffic.queued.Load()),
		BytesIn:              s.traffic.in.Load(),
		BytesOut:             s.traffic.out.Load(),
		MessagesIn:           s.messagesIn.Load(),
		MessagesOut:          s.messagesOut.Load(),
		SlowCloses:           s.slowCloses.Load(),
		RefusedConnections:   s.refusedConnections.Load(),
		RefusedSubscriptions: s.refusedSubscriptions.Load(),
		EndedSubscriptions:   s.endedSubscriptions.Load(),
		Closes:               s.closes.all(),
		APICalls:             s.apiCalls.Load(),
		APIRefusals:          s.apiRefusals.Load(),
	}
	st.WebhookDrops = s.hooks.dropped.Load()
	for _, t := range s.hooks.targets {
		st.WebhookEvents += t.sent.Load()
		st.WebhookFailures += t.failures.Load()
		st.WebhookDrops += t.dropped.Load()
	}
	if s.node != nil {
		n := s.node.Stats()
		st.BusUp, st.Nodes, st.BusFramesIn, st.BusFramesOut = n.Up, n.Nodes, n.FramesIn, n.FramesOut
		st.BusFramesFailed, st.BusFramesRefused, st.BusDrops, st.BusGaps = n.FramesFailed, n.FramesRefused, n.Dropped, n.Gaps
		st.Resyncs = s.resyncs.sent.Load()
	}
	st.Channels, st.Subscriptions = s.hub.counts()
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Connections = len(s.conns)
	return st
}

// codes counts by close code.
type codes struct {
	mu    sync.Mutex // guards what follows
	count map[int]uint64
}

func (c *codes) add(code pusherproto.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == nil {
		c.count = make(map[int]uint64)
	}
	c.count[int(code)]++
}

func (c *codes) all() map[int]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.count)
}
