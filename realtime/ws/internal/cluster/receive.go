package cluster

import (
	"log/slog"
	"time"
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
		n.figures.refused.Add(1)
		return
	}
	if _, gone := n.left[f.node]; gone || f.node == n.id {
		return
	}
	n.figures.received.Add(1)
	p := n.peers[f.node]
	if p == nil {
		p = &peer{id: f.node}
		n.peers[f.node] = p
		n.figures.peers.Store(int64(len(n.peers)))
		n.asked = time.Time{}
		n.hello(now)
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

// lost is when frames of p on shard are missing.
func (n *Node) lost(now time.Time, p *peer, shard uint8) {
	n.figures.gaps.Add(1)
	if shard > 0 {
		n.missed(shard)
		return
	}
	p.whole, p.building, p.states = false, false, nil
	n.hello(now)
}

// record acts on one record. Those of a later version are skipped.
func (n *Node) record(now time.Time, p *peer, shard uint8, k kind, payload []byte) error {
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
	case p.building && len(p.states) < maxStates:
		p.states = append(p.states, s)
	case p.whole:
		p.have = n.local.Merge(p.id, []State{s}, false)
	}
	return nil
}

// heartbeat compares what p has sent with what has arrived.
func (n *Node) heartbeat(now time.Time, p *peer, payload []byte) error {
	beat, counters, err := parseHeartbeat(payload)
	if err != nil {
		return err
	}
	p.beat = beat
	for shard := range uint8(len(counters)) {
		if counters[shard] == 0 || p.counted[shard] && counters[shard] <= p.last[shard] {
			continue
		}
		p.last[shard], p.counted[shard], p.parts[shard] = counters[shard], true, nil
		n.lost(now, p, shard)
	}
	if p.whole && !p.building && p.have != beat.totals {
		p.whole = false
		n.hello(now)
	}
	n.elect(now)
	return nil
}
