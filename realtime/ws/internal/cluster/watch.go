package cluster

import (
	"maps"
	"time"
)

// watch finds out whether this node is cut off from one that lives, for Stats.
// It reads what the peers' heartbeats list, which is as old as a heartbeat at
// most.
func (n *Node) watch(now time.Time) {
	listed := make(map[NodeID]struct{})
	deaf := int64(0)
	for _, p := range n.peers {
		if !p.deaf.IsZero() && now.Sub(p.deaf) > deadAfter {
			deaf++
		}
		for _, a := range p.beat.hears {
			listed[a.id] = struct{}{}
		}
	}
	unheard := int64(0)
	for id := range listed {
		_, left := n.left[id]
		switch since, known := n.unheard[id]; {
		case id == n.id || left || n.peers[id] != nil:
			delete(listed, id)
		case !known:
			n.unheard[id] = now
		case now.Sub(since) > deadAfter:
			unheard++
		}
	}
	maps.DeleteFunc(n.unheard, func(id NodeID, _ time.Time) bool {
		_, still := listed[id]
		return !still
	})
	maps.DeleteFunc(n.left, func(_ NodeID, at time.Time) bool { return now.Sub(at) >= farewellFor })
	maps.DeleteFunc(n.dead, func(_ NodeID, at time.Time) bool { return now.Sub(at) >= mournFor })
	echoed := n.began.Add(time.Duration(n.figures.echoed.Load()))
	n.figures.mute.Store(n.up && now.Sub(n.since) > deadAfter && now.Sub(echoed) > deadAfter)
	n.figures.deaf.Store(deaf)
	n.figures.unheard.Store(unheard)
	n.figures.dead.Store(int64(len(n.dead)))
}
