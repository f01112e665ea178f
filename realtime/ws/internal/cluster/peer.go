package cluster

import (
	"time"

	"github.com/murph-chat/murph/realtime"
)

const (
	maxAssembled = 1 << 20 // bytes of one record in pieces
	maxStates    = 1 << 20 // in one snapshot
	maxDone      = 4096    // commands of one node that are remembered
	maxSuspects  = 256     // nodes that have not proved yet that they live now
)

// peer is another node that has proved that it lives now, as this one knows it.
type peer struct {
	id    NodeID
	beat  heartbeat // the last one
	heard time.Time
	deaf  time.Time // since when its heartbeats do not list this node, or zero

	last    [realtime.BusShards]uint64 // the number of the last frame
	counted [realtime.BusShards]bool   // last is known
	parts   [realtime.BusShards][]byte // of a record that is not complete
	tooLong [realtime.BusShards]bool   // that record, so what is left of it is no record

	whole    bool    // all that it has said of its channels is known, as have
	have     Totals  // the sums over that
	building bool    // a snapshot has begun, and not ended,
	states   []State // with these

	done  map[uint64]struct{} // commands that were carried out
	order []uint64            // these by age
}

// suspect is a node whose heartbeat may be a recording of one that is gone. It
// changes nothing but the next heartbeat of this node, which gives it the
// chance to prove that it lives.
type suspect struct {
	n     uint64 // of the frame with its last heartbeat
	term  uint64 // of that heartbeat
	heard time.Time
}

// number takes the number of a frame down. late says that the frame is not to be used: it, or the knowledge that it is
// missing, has been here before. lost says that others are missing in front of it.
func (p *peer) number(shard uint8, n uint64) (late, lost bool) {
	if p.counted[shard] && n <= p.last[shard] {
		return true, false
	}
	expected := uint64(1) // a node counts from 1
	if p.counted[shard] {
		expected = p.last[shard] + 1
	}
	p.last[shard], p.counted[shard] = n, true
	if n != expected {
		p.parts[shard], p.tooLong[shard] = nil, false
		return false, true
	}
	return false, false
}

// assemble adds a piece of a record, and returns the record when it was the last one, or nil when that is too long.
func (p *peer) assemble(shard uint8, piece []byte, last bool) []byte {
	whole := append(p.parts[shard], piece...)
	p.parts[shard] = nil
	if p.tooLong[shard] = p.tooLong[shard] || len(whole) > maxAssembled; p.tooLong[shard] {
		p.tooLong[shard] = !last
		return nil
	}
	if last {
		return whole
	}
	p.parts[shard] = whole
	return nil
}

// remember takes down that a command was carried out.
func (p *peer) remember(id uint64) {
	if p.done == nil {
		p.done = make(map[uint64]struct{})
	}
	if len(p.order) == maxDone {
		delete(p.done, p.order[0])
		p.order = p.order[1:]
	}
	p.done[id] = struct{}{}
	p.order = append(p.order, id)
}
