package cluster

import (
	"time"

	"github.com/murph-chat/murph/realtime"
)

// Totals are the sums over all states of a node, to see whether a copy of them is a true one.
type Totals struct {
	Channels, Subscriptions, Users uint64
}

// Local is what a node does with what it hears. Its methods are called one at a time, by [Node.Run], and return soon.
type Local interface {
	// Event brings another node's event to this node's subscribers.
	Event(Event)
	// Missed says that events on the channels of a shard may have been lost, see [ShardOf], or commands, if it is 0.
	Missed(shard uint8)
	// Changes returns the states that have changed since the last call, or all of them, and the sums over all.
	Changes(all bool) ([]State, Totals)
	// Merge takes over what another node says of its channels: changes, or, when they are the whole of it, in place of
	// all that it has said before. It returns the sums over what is now known of the node.
	Merge(node NodeID, states []State, whole bool) Totals
	// Do carries a command of another node out.
	Do(Command)
	// Lead says whether this node speaks for all from now on, where something is to be said once. Whoever leads says what
	// was to be said after since, as far as they know of it: perhaps nobody has. A node that leads no longer says nothing of
	// that even if it still keeps it back.
	Lead(lead bool, since time.Time)
	// Woken says that another node may have left something in the outbox.
	Woken()
}

// ShardOf is the shard that carries the events of ch. Shard 0 carries everything else.
func ShardOf(ch realtime.Channel) uint8 {
	h := uint32(2166136261) // FNV-1a
	for i := range len(ch) {
		h = (h ^ uint32(ch[i])) * 16777619
	}
	return uint8(1 + (h^h>>16)%(realtime.BusShards-1))
}
