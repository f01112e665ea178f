package cluster_test

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/ws/internal/cluster"
)

// TestForgedFramesAreCounted sends a node what no node has made. It changes
// nothing but the counter.
func TestForgedFramesAreCounted(t *testing.T) {
	t.Parallel()
	n, l := newPair()
	shard := cluster.ShardOf(ch)
	sizes := n.Sizes()
	records := cluster.AppendRecord(nil, cluster.KindEvent, event.Append())
	good := cluster.Forge(secret, app, shard, other, 1, records)
	want := uint64(0)
	refuses := func(shard uint8, frame []byte, name string, args ...any) {
		t.Helper()
		n.Receive(shard, frame)
		want++
		require.Equal(t, want, n.Stats().FramesRefused, name, args)
	}
	for i := range good {
		for bit := range 8 {
			frame := bytes.Clone(good)
			frame[i] ^= 1 << bit
			refuses(shard, frame, "bit %d of byte %d flipped", bit, i)
		}
		refuses(shard, good[:i], "truncated to %d bytes", i)
	}
	refuses(shard, append(bytes.Clone(good), 0), "one byte too many")
	for s := range uint8(realtime.BusShards) {
		if s != shard {
			refuses(s, good, "shard %d", s)
		}
	}
	refuses(shard, cluster.Forge("x", app, shard, other, 1, records), "another secret")
	refuses(shard, cluster.Forge(secret, "x", shard, other, 1, records), "another app")

	require.Empty(t, l.take())
	require.Empty(t, n.Waiting())
	require.Equal(t, sizes, n.Sizes())
	n.Receive(shard, good)
	require.Equal(t, []string{"event private-a 1 0"}, l.take(), "its number is not used up")
}

func TestFramesHideWhatTheyCarry(t *testing.T) {
	t.Parallel()
	records := cluster.AppendRecord(nil, cluster.KindEvent, cluster.Event{Channel: ch, Message: []byte("canary")}.Append())
	one := cluster.Forge(secret, app, 3, other, 1, records)
	require.NotContains(t, string(one), "canary")
	require.NotContains(t, string(one), string(ch))
	require.NotEqual(t, one[1:], cluster.Forge(secret, app, 3, other, 1, records)[1:], "each has a nonce of its own")
}

func TestBusNameIsASecret(t *testing.T) {
	t.Parallel()
	name := cluster.BusName(secret, app)
	require.Regexp(t, `\A[0-9a-f]{32}\z`, name)
	require.Equal(t, name, cluster.BusName(secret, app))
	require.NotEqual(t, name, cluster.BusName("x", app))
	require.NotEqual(t, name, cluster.BusName(secret, "x"))
}

// life holds all frames of one node, with their shards.
type life struct {
	shards []uint8
	frames [][]byte
}

func (l *life) add(node cluster.NodeID, shard uint8, n uint64, kind byte, payload []byte) {
	l.shards = append(l.shards, shard)
	l.frames = append(l.frames, cluster.Forge(secret, app, shard, node, n, cluster.AppendRecord(nil, kind, payload)))
}

func (l *life) replay(n *cluster.Node) {
	for i, frame := range l.frames {
		n.Receive(l.shards[i], frame)
	}
}

// lifeOf has a node send every kind of record. proof is what its heartbeats
// list.
func lifeOf(node cluster.NodeID, proof cluster.Proof) *life {
	var l life
	control := []struct {
		kind    byte
		payload []byte
	}{
		{cluster.KindHeartbeat, nil},
		{cluster.KindHello, nil},
		{cluster.KindSnapshot, nil},
		{cluster.KindState, cluster.State{Channel: ch, Count: 1}.Append()},
		{cluster.KindEnd, nil},
		{cluster.KindCommand, cluster.AppendCommand(1, cluster.Command{CloseUser: "ann"})},
		{cluster.KindWake, nil},
		{cluster.KindHeartbeat, nil},
		{cluster.KindLeave, nil},
	}
	for i, r := range control {
		n := uint64(i + 1)
		if r.payload == nil && (r.kind == cluster.KindHeartbeat || r.kind == cluster.KindLeave) {
			counters := counted(n)
			counters[cluster.ShardOf(ch)] = min(n-1, 1)
			r.payload = cluster.Heartbeat(cluster.Totals{Channels: min(n-1, 1), Subscriptions: min(n-1, 1)}, counters, proof)
		}
		l.add(node, 0, n, r.kind, r.payload)
		if i == 0 {
			l.add(node, cluster.ShardOf(ch), 1, cluster.KindEvent, event.Append())
		}
	}
	return &l
}

// TestRecordingsOfANodeThatHasLeft repeats all that a node has sent in the life
// of this one.
func TestRecordingsOfANodeThatHasLeft(t *testing.T) {
	t.Parallel()
	n, l := newNode()
	recorded := lifeOf(other, n.Proof())
	recorded.replay(n)
	require.Equal(t, []string{"event private-a 1 0", "merge 7 1 true", "do {CloseUser:ann Revoke:[] Keep:[] Rev:0}", "woken", "merge 7 0 true", "woken"}, l.take())
	requireNothingComesOfIt(t, n, l, recorded)
}

// TestRecordingsOfADeadNode repeats all that a node has sent until it was given
// up, with and without its last words.
func TestRecordingsOfADeadNode(t *testing.T) {
	t.Parallel()
	n, l := newNode()
	recorded := lifeOf(other, n.Proof())
	alive := &life{recorded.shards[:8], recorded.frames[:8]}
	alive.replay(n)
	n.Forget(other)
	requireNothingComesOfIt(t, n, l, alive)
	requireNothingComesOfIt(t, n, l, recorded) // its last words come late

	n.Receive(0, forge(0, 20, cluster.KindHeartbeat, cluster.Heartbeat(cluster.Totals{}, counted(20), n.Proof())))
	require.Equal(t, 1, n.Stats().Nodes, "it lives")
	n.Receive(0, recorded.frames[len(recorded.frames)-1])
	require.Equal(t, 1, n.Stats().Nodes, "its old goodbye does not count")
}

// TestRecordingsOfManyNodes repeats what thousands of nodes have sent before
// this one began, and what as many have sent since.
func TestRecordingsOfManyNodes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // in which no time passes
		n, l := newPair()
		for id := range cluster.NodeID(2000) {
			lifeOf(1000+id, cluster.Proof{Node: 99}).replay(n)
		}
		require.Empty(t, l.take())
		require.LessOrEqual(t, n.Sizes()[1], cluster.MaxSuspects)
		require.Empty(t, n.Waiting(), "it has said just now that it lives")

		var lives []*life
		for id := range cluster.NodeID(2000) {
			recorded := lifeOf(10_000+id, n.Proof())
			recorded.replay(n)
			lives = append(lives, recorded)
		}
		l.take()
		n.Waiting()
		for _, recorded := range lives {
			requireNothingComesOfIt(t, n, l, recorded)
		}
		require.Equal(t, 1, n.Stats().Nodes)
	})
}

// requireNothingComesOfIt repeats a life in both orders.
func requireNothingComesOfIt(t *testing.T, n *cluster.Node, l *log, recorded *life) {
	t.Helper()
	n.Waiting()
	l.take()
	nodes, gaps := n.Stats().Nodes, n.Stats().Gaps
	recorded.replay(n)
	for i := range recorded.frames {
		last := len(recorded.frames) - 1 - i
		n.Receive(recorded.shards[last], recorded.frames[last])
	}
	require.Empty(t, l.take())
	require.Equal(t, nodes, n.Stats().Nodes)
	require.Equal(t, gaps, n.Stats().Gaps)
	require.LessOrEqual(t, n.Sizes()[1], cluster.MaxSuspects)
	for _, kind := range n.Waiting() {
		require.Equal(t, cluster.KindHeartbeat, kind, "it answers nothing else")
	}
}

// TestARecordingDoesNotHideANewcomer repeats an old heartbeat of a node that
// has not proved yet that it lives. The next heartbeat of this node lists the
// newest term that it has heard of it.
func TestARecordingDoesNotHideANewcomer(t *testing.T) {
	t.Parallel()
	n, _ := newNode()
	old := forge(0, 1, cluster.KindHeartbeat, cluster.HeartbeatIn(3, counted(1)))
	n.Receive(0, old)
	n.Receive(0, forge(0, 2, cluster.KindHeartbeat, cluster.HeartbeatIn(4, counted(2))))
	n.Receive(0, old)
	require.Equal(t, []cluster.Proof{{Node: other, Term: 4}}, n.Suspects())
	require.Zero(t, n.Stats().Nodes)
}

// TestFramesBeforeTheProofAreMissing lets a node hear another one before that
// has heard of it.
func TestFramesBeforeTheProofAreMissing(t *testing.T) {
	t.Parallel()
	n, l := newNode()
	shard := cluster.ShardOf(ch)
	n.Receive(0, forge(0, 1, cluster.KindHeartbeat, cluster.Heartbeat(cluster.Totals{}, counted(1), cluster.Proof{Node: 99})))
	require.Equal(t, []cluster.Proof{{Node: other}}, n.Suspects())
	n.Receive(0, forge(0, 2, cluster.KindCommand, cluster.AppendCommand(1, cluster.Command{CloseUser: "ann"})))
	n.Receive(shard, forge(shard, 1, cluster.KindEvent, event.Append()))
	require.Empty(t, l.take())
	counters := counted(3)
	counters[shard] = 1
	n.Receive(0, forge(0, 3, cluster.KindHeartbeat, cluster.Heartbeat(cluster.Totals{}, counters, n.Proof())))
	require.Equal(t, []string{fmt.Sprint("missed ", shard)}, l.take())
	require.Empty(t, n.Suspects())
	n.Receive(0, forge(0, 4, cluster.KindCommand, cluster.AppendCommand(1, cluster.Command{CloseUser: "ann"})))
	require.Equal(t, []string{"do {CloseUser:ann Revoke:[] Keep:[] Rev:0}"}, l.take())
}
