package cluster

// Stats are a node's figures.
type Stats struct {
	Up    bool // the bus is
	Nodes int  // others that are alive

	Mute    bool // what this node publishes does not come back to it
	Unheard int  // nodes that others hear and this one does not
	Deaf    int  // nodes that this one hears and that do not hear it
	Dead    int  // nodes that were given up without a goodbye within the last minute, and not heard since

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
	f := &n.figures
	return Stats{
		Up: f.up.Load(), Nodes: int(f.peers.Load()),
		Mute: f.mute.Load(), Unheard: int(f.unheard.Load()), Deaf: int(f.deaf.Load()), Dead: int(f.dead.Load()),
		FramesIn: f.received.Load(), FramesOut: n.send.sent.Load(), FramesFailed: n.send.failed.Load(),
		FramesRefused: f.refused.Load(), Dropped: n.send.dropped.Load(), Gaps: f.gaps.Load(), EventsIn: f.events.Load(),
	}
}
