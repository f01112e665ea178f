package cluster

import (
	"log/slog"
	"maps"
	mathrand "math/rand/v2"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// next returns the time of what is due first, or zero.
func (n *Node) next() time.Time {
	next := n.changesDue
	if !n.answerDue.IsZero() {
		next = earlier(next, n.answerDue)
	}
	return next
}

// earlier returns the first of two times; zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// due sends the changes, and the snapshot, that have waited long enough.
func (n *Node) due(now time.Time) {
	if !n.changesDue.IsZero() && !now.Before(n.changesDue) {
		n.announce(false)
	}
	if !n.answerDue.IsZero() && !now.Before(n.answerDue) {
		n.announce(true)
		n.pulse(now)
	}
}

// announce sends what has changed on this node, or everything.
func (n *Node) announce(all bool) {
	n.changesDue = time.Time{}
	states, totals := n.local.Changes(all)
	n.beat.totals = totals
	if all {
		n.answerDue = time.Time{}
		n.send.put(record{kind: kindSnapshot})
	}
	for _, s := range states {
		for _, piece := range s.pieces() {
			n.send.put(record{kind: kindState, payload: piece.append(nil)})
		}
	}
	if all {
		n.send.put(record{kind: kindEnd})
	}
}

// pulse sends a heartbeat.
func (n *Node) pulse(now time.Time) {
	n.pulsed = now
	n.send.put(record{kind: kindHeartbeat, beat: n.says()})
	n.beatDue = now.Add(time.Duration(float64(beatEvery) * (0.9 + 0.2*mathrand.Float64())))
}

// says returns what this node says of itself at the moment.
func (n *Node) says() *heartbeat {
	beat := n.beat
	beat.hears = make([]acquaintance, 0, len(n.peers))
	for id, p := range n.peers {
		beat.hears = append(beat.hears, acquaintance{id, p.beat.term})
	}
	beat.suspects = make([]acquaintance, 0, len(n.suspects))
	for id, s := range n.suspects {
		beat.suspects = append(beat.suspects, acquaintance{id, s.term})
	}
	return &beat
}

// greet sends a heartbeat soon, and not before a second has passed since the
// last one.
func (n *Node) greet(now time.Time) {
	if now.Sub(n.pulsed) >= helloEvery {
		n.pulse(now)
		return
	}
	n.beatDue = earlier(n.beatDue, n.pulsed.Add(helloEvery))
}

// hello asks all others to tell everything, at most once in a while.
func (n *Node) hello(now time.Time) {
	if !n.up || !n.asked.IsZero() && now.Sub(n.asked) < helloEvery {
		return // tick asks again
	}
	n.asked = now
	n.send.put(record{kind: kindHello})
}

// tick looks at what time alone has changed.
func (n *Node) tick(now time.Time) {
	if now.Sub(n.ticked) >= pausedAfter {
		n.resumed(now)
	}
	n.ticked = now
	for id, p := range n.peers {
		if now.Sub(p.heard) >= deadAfter {
			n.logger.Warn("ws: a node is gone without a word", slog.Uint64("node", uint64(id)))
			n.dead[id] = now
			n.forget(id)
			n.missedAll() // what it sent last may not have come through
			n.local.Woken()
		}
	}
	maps.DeleteFunc(n.suspects, func(_ NodeID, s suspect) bool { return now.Sub(s.heard) >= deadAfter })
	for _, p := range n.peers {
		if !p.whole {
			n.hello(now)
		}
	}
	if !n.up && now.Sub(n.reminded) >= remindEvery && now.Sub(n.since) >= beatEvery {
		n.reminded = now
		n.missedAll()
	}
	n.learn(now)
	n.elect(now)
	n.watch(now)
	if !now.Before(n.beatDue) {
		n.pulse(now)
	}
	n.remind(now)
}

// resumed is when this process has been stopped for a while. What it knows of the others is old, and they may have given
// it up; that they were not heard is no sign of their death.
func (n *Node) resumed(now time.Time) {
	n.logger.Warn("ws: this process was stopped", slog.Duration("for", now.Sub(n.ticked)))
	n.since, n.beat.ready = now, false
	for _, p := range n.peers {
		p.heard, p.whole = now, false
	}
	n.missedAll()
	n.pulse(now)
	n.hello(now)
}

func (n *Node) missedAll() {
	for shard := range uint8(realtime.BusShards) {
		n.local.Missed(shard)
	}
}

// forget drops a node and its states. It elects the leader first, because a
// leader gives notice of what goes with the node. The term grows, so that no
// recording of the node's heartbeats brings it back.
func (n *Node) forget(id NodeID) {
	delete(n.peers, id)
	n.beat.term++
	n.figures.peers.Store(int64(len(n.peers)))
	n.elect(time.Now())
	n.local.Merge(id, nil, true)
	for _, o := range n.pending {
		o.confirmed(id)
	}
}
