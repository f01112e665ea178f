package cluster

import (
	"log/slog"
	"maps"
	mathrand "math/rand/v2"
	"slices"
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
	n.send.put(record{kind: kindHeartbeat, beat: n.says()})
	n.beatDue = now.Add(time.Duration(float64(beatEvery) * (0.9 + 0.2*mathrand.Float64())))
}

// says returns what this node says of itself at the moment.
func (n *Node) says() *heartbeat {
	beat := n.beat
	beat.hears = slices.Collect(maps.Keys(n.peers))
	return &beat
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
			n.forget(id)
			n.missedAll() // what it sent last may not have come through
			n.local.Woken()
		}
	}
	for id, at := range n.left {
		if now.Sub(at) >= forgetAfter {
			delete(n.left, id)
		}
	}
	for _, p := range n.peers {
		if p.fresh && !p.whole {
			n.hello(now)
		}
	}
	if !n.up && now.Sub(n.reminded) >= remindEvery && now.Sub(n.since) >= beatEvery {
		n.reminded = now
		n.missedAll()
	}
	n.learn(now)
	n.elect(now)
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

// forget drops a node and all that is known of it. Who leads is decided before, or nobody would speak of it.
func (n *Node) forget(id NodeID) {
	if len(n.former) >= maxFormer {
		for old := range n.former { // any one
			delete(n.former, old)
			break
		}
	}
	n.former[id] = n.peers[id].last
	delete(n.peers, id)
	n.figures.peers.Store(int64(len(n.peers)))
	n.elect(time.Now())
	n.local.Merge(id, nil, true)
	for _, o := range n.pending {
		o.confirmed(id)
	}
}
