package cluster

import (
	"bytes"
	"log/slog"
	"time"
)

// take acts on what the bus has reported.
func (n *Node) take(a arrival) {
	now := time.Now()
	switch {
	case !a.empty:
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

// open returns a frame of another node, and reports false for any other. It
// runs in the goroutine of the bus, so that frames which no node has made do
// not reach that of Run.
func (n *Node) open(shard uint8, b []byte) (frame, bool) {
	f, err := n.opener.open(shard, b)
	switch {
	case err != nil:
		n.refuse(err)
		return frame{}, false
	case f.node == n.id:
		if shard == 0 && f.n > n.echo { // and no recording
			n.echo = f.n
			n.figures.echoed.Store(int64(time.Since(n.began)))
		}
		return frame{}, false
	}
	n.figures.received.Add(1)
	f.records = bytes.Clone(f.records)
	return f, true
}

// refuse counts a frame that no node with this version and these credentials
// has made. It changes nothing else, because every program with access to the
// engine can send one.
func (n *Node) refuse(err error) {
	n.figures.refused.Add(1)
	if now := time.Now(); now.Sub(n.complained) >= complainEvery {
		n.complained = now
		n.logger.Warn("ws: the bus carries frames that no node of this cluster has made", slog.Any("err", err))
	}
}

func (n *Node) receive(now time.Time, shard uint8, f frame) {
	p := n.peers[f.node]
	if p == nil {
		if p = n.meet(now, shard, f); p == nil {
			return
		}
	} else {
		late, lost := p.number(shard, f.n)
		if late {
			return
		}
		if lost {
			n.lost(now, p, shard)
		}
	}
	p.heard = now
	for rest := f.records; len(rest) > 0; {
		k, payload, after, err := nextRecord(rest)
		if rest = after; err == nil {
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

// meet takes up a node that is no peer, if the frame proves that the node lives
// now: it begins with a heartbeat that lists the current term of this node. A
// recording does not: the node's id is random, and the term grows with each
// node that is given up. A heartbeat without the proof makes the node a
// suspect, which learns the term from the next heartbeat of this one.
func (n *Node) meet(now time.Time, shard uint8, f frame) *peer {
	k, payload, _, err := nextRecord(f.records)
	if err != nil || k != kindHeartbeat || shard != 0 {
		return nil
	}
	beat, _, err := parseHeartbeat(payload)
	switch s, known := n.suspects[f.node]; {
	case err != nil:
		return nil
	case beat.proves(n.id, n.beat.term):
	case known && f.n <= s.n: // older than the last one, or that one again
		return nil
	default:
		if !known && len(n.suspects) >= maxSuspects {
			for other := range n.suspects { // any one
				delete(n.suspects, other)
				break
			}
		}
		n.suspects[f.node] = suspect{n: f.n, term: beat.term, heard: now}
		if !known || s.term != beat.term {
			n.greet(now)
		}
		return nil
	}
	delete(n.suspects, f.node)
	delete(n.dead, f.node)
	p := &peer{id: f.node, beat: beat}
	p.last[0], p.counted[0] = f.n, true // the heartbeat says how far it has counted on other shards
	n.peers[f.node] = p
	n.figures.peers.Store(int64(len(n.peers)))
	n.asked = time.Time{}
	n.pulse(now) // so that the node knows that it is heard
	n.hello(now)
	return p
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

// heartbeat compares the numbers of the frames that p has sent with those that
// have arrived.
func (n *Node) heartbeat(now time.Time, p *peer, payload []byte) error {
	beat, counters, err := parseHeartbeat(payload)
	if err != nil {
		return err
	}
	p.beat = beat
	switch {
	case beat.lists(n.id):
		p.deaf = time.Time{}
	case p.deaf.IsZero():
		p.deaf = now
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
