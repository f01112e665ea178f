package cluster

import (
	"encoding/binary"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// Forge makes a frame as a node with the same key would, from records that AppendRecord has made.
func Forge(secret, app string, shard uint8, node NodeID, n uint64, records []byte) []byte {
	return newSealer(key(secret, app)).seal(shard, append(begin(nil, node, n), records...))
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
)

// Append encodes what the record of its kind carries.
func (e Event) Append() []byte { return e.append(nil) }

// Append encodes what the record of its kind carries.
func (s State) Append() []byte { return s.append(nil) }

// AppendCommand encodes a command with its number.
func AppendCommand(id uint64, c Command) []byte { return c.append(binary.AppendUvarint(nil, id)) }

// Heartbeat encodes one.
func Heartbeat(totals Totals, counters [realtime.BusShards]uint64, hears ...NodeID) []byte {
	return heartbeat{started: 1, totals: totals, hears: hears}.append(nil, &counters)
}

// ID returns the node's name.
func (n *Node) ID() NodeID { return n.id }

// Receive acts on a frame as Run would.
func (n *Node) Receive(shard uint8, frame []byte) { n.receive(time.Now(), shard, frame) }

// Forget gives a node up.
func (n *Node) Forget(id NodeID) { n.forget(id) }

// BusUp is when the bus has come up.
func (n *Node) BusUp() { n.take(arrival{up: true}) }

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

// KindHello is a call for snapshots.
const KindHello = byte(kindHello)
