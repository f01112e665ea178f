package cluster

import (
	"log/slog"
	"slices"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// take acts on what the bus has reported.
func (n *Node) take(a arrival) {
	now := time.Now()
	switch {
	case a.frame != nil:
		n.receive(now, a.shard, a.frame)
	case a.up:
		n.logger.Info("ws: the bus is up")
		n.figures.up.Store(true)
		n.up, n.since = true, now
		n.missedAll()
		n.asked = time.Time{}
		n.announce(false)
		n.pulse(now)
		n.hello(now)
		n.local.Woken()
	case n.up:
		n.logger.Warn("ws: the bus is down", slog.Any("err", a.err))
		n.figures.up.Store(false)
		n.up, n.since = false, now
	}
}

func (n *Node) receive(now time.Time, shard uint8, b []byte) {
	f, err := n.opener.open(shard, b)
	if err != nil {
		n.refuse(now, err)
		return
	}
	if _, gone := n.left[f.node]; gone || f.node == n.id {
		return
	}
	n.figures.received.Add(1)
	p := n.peers[f.node]
	if p == nil {
		if p = n.meet(now, shard, f); p == nil {
			return
		}
	}
	p.heard = now
	late, lost := p.number(shard, f.n)
	if late {
		return
	}
	if lost {
		n.lost(now, p, shard)
	}
	for rest := f.records; len(rest) > 0; {
		var k kind
		var payload []byte
		if k, payload, rest, err = nextRecord(rest); err == nil {
			err = n.record(now, p, shard, k, payload)
		}
		if err != nil {
			n.figures.refused.Add(1)
			return
		}
		if n.peers[p.id] != p {
			return // it has left
		}
	}
}

// meet takes up a node that is not known, unless the frame is one that it has sent before it was last given up.
func (n *Node) meet(now time.Time, shard uint8, f frame) *peer {
	p := &peer{id: f.node}
	if last, known := n.former[f.node]; known {
		if f.n <= last[shard] {
			return nil
		}
		for shard, n := range last {
			p.last[shard], p.counted[shard] = n, n > 0
		}
		delete(n.former, f.node)
	}
	n.peers[f.node] = p
	n.figures.peers.Store(int64(len(n.peers)))
	n.asked = time.Time{}
	n.pulse(now) // so that it knows that it is heard
	n.hello(now)
	return p
}

// refuse is for a frame that cannot be read: of a node with another secret or of another version, of another application,
// or of a stranger. Were it one of ours, something would be missing now.
func (n *Node) refuse(now time.Time, err error) {
	n.figures.refused.Add(1)
	n.figures.refusedAt.Store(now.UnixNano())
	if now.Sub(n.refused) < complainEvery {
		return
	}
	n.refused = now
	n.logger.Warn("ws: the bus carries frames of nodes with another version or secret, or of strangers", slog.Any("err", err))
	n.missedAll()
}

// lost is when frames of p on shard are missing.
func (n *Node) lost(now time.Time, p *peer, shard uint8) {
	n.figures.gaps.Add(1)
	n.local.Missed(shard)
	if shard > 0 {
		return
	}
	p.whole, p.building, p.states = false, false, nil
	n.hello(now)
}

// record acts on one record. Those of a later version are skipped.
func (n *Node) record(now time.Time, p *peer, shard uint8, k kind, payload []byte) error {
	if !p.fresh && k != kindHeartbeat && k != kindHello {
		return nil // see heartbeat
	}
	switch k {
	case kindPart:
		p.assemble(shard, payload, false)
	case kindLastPart:
		if whole := p.assemble(shard, payload, true); len(whole) > 0 && kind(whole[0]) > kindLastPart {
			return n.record(now, p, shard, kind(whole[0]), whole[1:])
		}
	case kindEvent:
		e, err := parseEvent(payload)
		if err != nil || ShardOf(e.Channel) != shard {
			return errRecord
		}
		n.figures.events.Add(1)
		n.local.Event(e)
	case kindHeartbeat:
		return n.heartbeat(now, p, payload)
	case kindHello:
		n.answerDue = earlier(n.answerDue, now.Add(snapshotDelay))
	case kindSnapshot:
		p.building, p.states = true, nil
	case kindState:
		return n.state(p, payload)
	case kindEnd:
		if p.building {
			p.have = n.local.Merge(p.id, p.states, true)
			p.whole, p.building, p.states = true, false, nil
		}
	case kindCommand:
		return n.command(p, payload)
	case kindAck:
		return n.ack(p, payload)
	case kindLeave:
		err := n.heartbeat(now, p, payload) // the last one: nothing comes after it
		n.left[p.id] = now
		n.forget(p.id)
		n.local.Woken()
		return err
	case kindWake:
		n.local.Woken()
	}
	return nil
}

// state takes the state of one channel over. Before the first snapshot, and after a loss, it would not mean anything.
func (n *Node) state(p *peer, payload []byte) error {
	s, err := parseState(payload)
	switch {
	case err != nil:
		return err
	case p.building && len(p.states) > 0 && p.states[len(p.states)-1].Channel == s.Channel:
		p.states[len(p.states)-1].join(s)
	case p.building && len(p.states) < maxStates:
		p.states = append(p.states, s)
	case p.whole:
		p.have = n.local.Merge(p.id, []State{s}, false)
	}
	return nil
}

// heartbeat compares what p has sent with what has arrived. A node is believed once it has heard of this one, whose id is
// random: what somebody has recorded before this process began does not have it.
func (n *Node) heartbeat(now time.Time, p *peer, payload []byte) error {
	beat, counters, err := parseHeartbeat(payload)
	if err != nil {
		return err
	}
	p.beat = beat
	if !p.fresh {
		if !slices.Contains(beat.hears, n.id) {
			return nil
		}
		p.fresh = true
		p.counted = [realtime.BusShards]bool{} // what has been skipped is missing
		p.counted[0], p.whole = true, false
		n.asked = time.Time{}
		n.hello(now)
	}
	for shard := range uint8(len(counters)) {
		if counters[shard] == 0 || p.counted[shard] && counters[shard] <= p.last[shard] {
			continue
		}
		p.last[shard], p.counted[shard], p.parts[shard], p.tooLong[shard] = counters[shard], true, nil, false
		n.lost(now, p, shard)
	}
	if p.whole && !p.building && p.have != beat.totals {
		p.whole = false
		n.hello(now)
	}
	n.elect(now)
	return nil
}
