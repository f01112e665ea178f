package cluster

import "time"

// Stats are a node's figures.
type Stats struct {
	Up    bool // the bus is
	Nodes int  // others that are alive

	Refusing bool // the bus has carried frames that cannot be read within the last minute

	FramesIn      uint64 // of other nodes
	FramesOut     uint64
	FramesFailed  uint64 // that the bus did not take
	FramesRefused uint64 // that no node of this version and key has made
	Dropped       uint64 // events that were one too many in front of the bus
	Gaps          uint64 // losses that were noticed
	EventsIn      uint64
}

// Stats returns the current figures.
func (n *Node) Stats() Stats {
	return Stats{
		Refusing: time.Since(time.Unix(0, n.figures.refusedAt.Load())) < time.Minute,
		Up:       n.figures.up.Load(), Nodes: int(n.figures.peers.Load()),
		FramesIn: n.figures.received.Load(), FramesOut: n.send.sent.Load(), FramesFailed: n.send.failed.Load(),
		FramesRefused: n.figures.refused.Load(), Dropped: n.send.dropped.Load(), Gaps: n.figures.gaps.Load(),
		EventsIn: n.figures.events.Load(),
	}
}
