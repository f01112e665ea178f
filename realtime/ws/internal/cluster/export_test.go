package cluster

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// Forge makes a frame as a node with the same key would, from records that AppendRecord has made.
func Forge(secret, app string, shard uint8, node NodeID, n uint64, records []byte) []byte {
	return bytes.Clone(Sealer(secret, app)(shard, node, n, records))
}

// Sealer returns a Forge that uses its memory again.
func Sealer(secret, app string) func(shard uint8, node NodeID, n uint64, records []byte) []byte {
	derived, err := derive(secret, app)
	if err != nil {
		panic(err)
	}
	s, err := newSealer(derived.key)
	if err != nil {
		panic(err)
	}
	var frame []byte
	return func(shard uint8, node NodeID, n uint64, records []byte) []byte {
		frame = s.seal(shard, append(begin(frame[:0], node, n), records...))
		return frame
	}
}

// AppendRecord appends a record of any kind.
func AppendRecord(dst []byte, k byte, payload []byte) []byte {
	return appendRecord(dst, kind(k), payload)
}

// The kinds that tests forge.
const (
	KindEvent     = byte(kindEvent)
	KindHeartbeat = byte(kindHeartbeat)
	KindSnapshot  = byte(kindSnapshot)
	KindState     = byte(kindState)
	KindEnd       = byte(kindEnd)
	KindCommand   = byte(kindCommand)
	KindLeave     = byte(kindLeave)
	KindHello     = byte(kindHello)
	KindWake      = byte(kindWake)
)

// Append encodes what the record of its kind carries.
func (e Event) Append() []byte { return e.append(nil) }

// Append encodes what the record of its kind carries.
func (s State) Append() []byte { return s.append(nil) }

// AppendCommand encodes a command with its number.
func AppendCommand(id uint64, c Command) []byte { return c.append(binary.AppendUvarint(nil, id)) }

// BusName returns the name under which nodes with these credentials run their
// bus.
func BusName(secret, app string) string {
	derived, err := derive(secret, app)
	if err != nil {
		panic(err)
	}
	return derived.name
}

// Heartbeat encodes one.
func Heartbeat(totals Totals, counters [realtime.BusShards]uint64, hears ...Proof) []byte {
	h := heartbeat{started: 1, totals: totals}
	for _, p := range hears {
		h.hears = append(h.hears, acquaintance{p.Node, p.Term})
	}
	return h.append(nil, &counters)
}

// HeartbeatIn encodes one of a node in a later term.
func HeartbeatIn(term uint64, counters [realtime.BusShards]uint64) []byte {
	return heartbeat{started: 1, term: term}.append(nil, &counters)
}

// Proof is a node with its term, as a heartbeat lists it.
type Proof struct {
	Node NodeID
	Term uint64
}

// Proof returns the entry that a heartbeat must have for n to believe it.
func (n *Node) Proof() Proof { return Proof{n.id, n.beat.term} }

// ID returns the node's name.
func (n *Node) ID() NodeID { return n.id }

// Receive acts on a frame as Run would.
func (n *Node) Receive(shard uint8, frame []byte) {
	if f, ok := n.open(shard, bytes.Clone(frame)); ok {
		n.receive(time.Now(), shard, f)
	}
}

// Open opens a frame as the bus would.
func (n *Node) Open(shard uint8, frame []byte) bool {
	_, ok := n.open(shard, frame)
	return ok
}

// Sizes returns how many nodes n keeps in memory: peers, suspects, and others.
func (n *Node) Sizes() [3]int {
	return [3]int{len(n.peers), len(n.suspects), len(n.left) + len(n.dead) + len(n.unheard)}
}

// MaxSuspects bounds the second of Sizes.
const MaxSuspects = maxSuspects

// Suspects returns what the next heartbeat of n lists of nodes that are not
// believed.
func (n *Node) Suspects() (all []Proof) {
	for _, a := range n.says().suspects {
		all = append(all, Proof{a.id, a.term})
	}
	return all
}

// Forget gives a node up.
func (n *Node) Forget(id NodeID) { n.forget(id) }

// BusUp acts on a call of Up as Run would.
func (n *Node) BusUp() { n.take(arrival{empty: true, up: true}) }

// Waiting returns the kinds of what waits to be sent.
func (n *Node) Waiting() (kinds []byte) {
	n.send.mu.Lock()
	defer n.send.mu.Unlock()
	for _, r := range n.send.waiting {
		kinds = append(kinds, byte(r.kind))
	}
	n.send.waiting = nil
	return kinds
}
