package cluster

import "time"

// learn decides whether this node knows enough of the others to speak for all.
func (n *Node) learn(now time.Time) {
	if n.beat.ready {
		return
	}
	wait := learnFor
	if !n.up {
		wait = deadAfter // and then there is nobody else as far as this node is concerned
	}
	if now.Sub(n.since) < wait {
		return
	}
	for _, p := range n.peers {
		if !p.whole {
			return
		}
	}
	n.beat.ready = true
	n.pulse(now)
}

// elect finds out who leads: the oldest node that is ready.
func (n *Node) elect(now time.Time) {
	first, beat := NodeID(0), heartbeat{}
	if n.beat.ready {
		first, beat = n.id, n.beat
	}
	for id, p := range n.peers {
		if p.beat.ready && (first == 0 || p.beat.before(id, beat, first)) {
			first, beat = id, p.beat
		}
	}
	if p := n.peers[n.leader]; p != nil {
		n.leaderSeen = p.heard
	}
	if first != 0 {
		n.lead(first)
	}
}

// lead makes id the leader. Whatever the last one has left unsaid is for this node to say, if it is its successor: all
// that it had not heard of when it has left, or at the last sign of life when it has died, and all that there is when
// nobody has led before.
func (n *Node) lead(id NodeID) {
	unsaid := time.Now()
	switch {
	case n.leader == 0:
		unsaid = time.Time{}
	case n.leader != n.id && n.peers[n.leader] == nil:
		unsaid = n.leaderSeen
	}
	n.leader = id
	switch leading := id == n.id; {
	case leading && !n.leading:
		n.local.Lead(true, unsaid.Add(-countDelay))
	case n.leading && !leading:
		n.local.Lead(false, time.Time{})
	}
	n.leading = id == n.id
}
