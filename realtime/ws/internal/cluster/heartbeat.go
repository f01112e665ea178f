package cluster

import (
	"encoding/binary"
	"slices"

	"github.com/murph-chat/murph/realtime"
)

// heartbeat describes a node. Its counters are as they are at the moment at
// which it is sent.
type heartbeat struct {
	started uint64 // Unix time in milliseconds, by the node's own clock
	ready   bool   // knows enough to lead
	totals  Totals
	// term grows whenever the node gives another one up. A node proves that it
	// lives now, and that its frames are no recording, by listing the current
	// term.
	term     uint64
	hears    []acquaintance // its peers
	suspects []acquaintance // nodes that have not proved yet that they live now
}

// acquaintance is a node that a heartbeat lists, with the last term that was
// heard of it.
type acquaintance struct {
	id   NodeID
	term uint64
}

func (h heartbeat) append(dst []byte, counters *[realtime.BusShards]uint64) []byte {
	ready := uint64(0)
	if h.ready {
		ready = 1
	}
	for _, v := range [...]uint64{h.started, ready, h.totals.Channels, h.totals.Subscriptions, h.totals.Users} {
		dst = binary.AppendUvarint(dst, v)
	}
	for _, n := range counters {
		dst = binary.AppendUvarint(dst, n)
	}
	dst = binary.AppendUvarint(dst, h.term)
	for _, list := range [...][]acquaintance{h.hears, h.suspects} {
		dst = binary.AppendUvarint(dst, uint64(len(list)))
		for _, a := range list {
			dst = binary.BigEndian.AppendUint64(dst, uint64(a.id))
			dst = binary.AppendUvarint(dst, a.term)
		}
	}
	return dst
}

func parseHeartbeat(b []byte) (h heartbeat, counters [realtime.BusShards]uint64, err error) {
	r := reader{rest: b}
	h.started, h.ready = r.uint(), r.uint() == 1
	h.totals = Totals{r.uint(), r.uint(), r.uint()}
	for i := range counters {
		counters[i] = r.uint()
	}
	h.term = r.uint()
	for _, list := range [...]*[]acquaintance{&h.hears, &h.suspects} {
		for range r.many() {
			*list = append(*list, acquaintance{r.node(), r.uint()})
		}
	}
	return h, counters, r.err()
}

// proves tells whether the heartbeat was sent by a node that has heard the
// current term of the node id.
func (h heartbeat) proves(id NodeID, term uint64) bool {
	a := acquaintance{id, term}
	return slices.Contains(h.hears, a) || slices.Contains(h.suspects, a)
}

// lists tells whether the node id is among the peers.
func (h heartbeat) lists(id NodeID) bool {
	return slices.ContainsFunc(h.hears, func(a acquaintance) bool { return a.id == id })
}

// before orders nodes by age: the oldest leads.
func (h heartbeat) before(id NodeID, other heartbeat, otherID NodeID) bool {
	if h.started != other.started {
		return h.started < other.started
	}
	return id < otherID
}
