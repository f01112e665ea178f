package ws_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// wiretap has access to the engine and not to the secret. It records every
// frame and can write to the engine.
type wiretap struct {
	hub  *inmem.BusHub
	name string
	rand *rand.Rand

	mu     sync.Mutex // guards what follows
	frames []recording
	known  map[string]bool // frames that are recorded or its own
	off    bool            // it records no more
}

type recording struct {
	shard uint8
	frame []byte
}

func (w *wiretap) Up()        {}
func (w *wiretap) Down(error) {}

func (w *wiretap) Frame(shard uint8, frame []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.off && !w.known[string(frame)] {
		w.known[string(frame)] = true
		w.frames = append(w.frames, recording{shard, bytes.Clone(frame)})
	}
}

// wiretapOn records what the nodes of the hub publish until the test ends. n is
// one of them.
func wiretapOn(t *testing.T, hub *inmem.BusHub, n *peer) *wiretap {
	t.Helper()
	w := &wiretap{hub: hub, name: n.engine.name.Load().(string), rand: rand.New(rand.NewPCG(1, 2)), known: map[string]bool{}}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = hub.Node().Run(ctx, w.name, w)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return w
}

func (w *wiretap) turnOff() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.off = true
}

// flood writes so many frames within count/1000 seconds: forged, broken, and
// recorded ones, in any order. It returns how many no node has made.
func (w *wiretap) flood(count int) (strange uint64) {
	for i := range count {
		w.mu.Lock()
		f := w.frames[w.rand.IntN(len(w.frames))]
		w.mu.Unlock()
		shard, frame := f.shard, bytes.Clone(f.frame)
		strange++
		switch w.rand.IntN(8) {
		case 0:
			frame[w.rand.IntN(len(frame))] ^= 1 << w.rand.IntN(8)
		case 1:
			frame = frame[:w.rand.IntN(len(frame))]
		case 2:
			shard = (shard + 1 + uint8(w.rand.IntN(realtime.BusShards-1))) % realtime.BusShards
		case 3:
			frame = bytes.Repeat([]byte{byte(w.rand.Uint32())}, w.rand.IntN(200))
		default:
			strange--
		}
		w.mu.Lock()
		w.known[string(frame)] = true
		w.mu.Unlock()
		w.hub.Inject(w.name, shard, frame)
		if i%100 == 99 {
			pass(100 * time.Millisecond)
		}
	}
	return strange
}

// TestClusterFlood writes forged, broken and recorded frames to the engine,
// among them those of nodes that have left or died. They change nothing but
// counters, and a new node joins while they come.
func TestClusterFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		change := func(c *ws.Config) { c.AuthorizeInterval = time.Hour }
		first := enter(t, &hub, change)
		pass(time.Second)
		w := wiretapOn(t, &hub, first)
		left, died := enter(t, &hub, change), enter(t, &hub, change)
		pass(5 * time.Second)
		gone := died.connect()
		died.join(gone, room, "gone")
		pass(time.Second)
		require.NoError(t, first.TerminateUser(t.Context(), "ann"))
		require.NoError(t, died.TerminateUser(t.Context(), "ann"))
		left.broadcast(private, `"old"`)
		died.broadcast(private, `"old"`)
		require.NoError(t, left.Shutdown(context.Background()))
		died.bus.Partition()
		nodes := []*peer{first, enter(t, &hub, change), enter(t, &hub, change)}
		clients := make([]*realtimetest.Client, len(nodes))
		for i, n := range nodes {
			pass(2 * time.Second)
			clients[i] = n.connect()
			n.join(clients[i], room, fmt.Sprint("u", i))
			n.signIn(clients[i], "ann", "")
			n.subscribe(clients[i], private)
			n.broadcast(private, `"before"`)
		}
		pass(2 * time.Minute)
		before := make([]ws.Stats, len(nodes))
		woken, asked := make([]int, len(nodes)), make([]int, len(nodes))
		for i, n := range nodes {
			anything(clients[i])
			n.heard.take()
			before[i], woken[i], asked[i] = n.Stats(), n.woken, n.asked
		}

		strange := w.flood(10_000)
		pass(15 * time.Second) // longer than a node is waited for
		for i, n := range nodes {
			require.NoError(t, n.Check(t.Context()))
			st := n.Stats()
			require.Equal(t, strange, st.BusFramesRefused-before[i].BusFramesRefused)
			require.Equal(t, before[i].Resyncs, st.Resyncs)
			require.Equal(t, before[i].BusGaps, st.BusGaps)
			require.Equal(t, before[i].EndedSubscriptions, st.EndedSubscriptions)
			require.Equal(t, 2, st.Nodes)
			require.Less(t, st.BusFramesOut-before[i].BusFramesOut, uint64(30), "heartbeats, and no more than one in a second")
			require.Equal(t, woken[i], n.woken)
			require.Equal(t, asked[i], n.asked)
			require.Empty(t, n.heard.take())
			require.Empty(t, anything(clients[i]))
			require.Equal(t, []string{"u0", "u1", "u2"}, n.Users(room))
		}
		nodes[1].broadcast(private, `"after"`)
		for _, c := range clients {
			require.Equal(t, []string{`new-message "after"`}, anything(c))
		}

		late := outside(t, &hub, change)
		go func() {
			<-time.After(time.Second)
			late.run()
		}()
		w.flood(5_000)
		require.Equal(t, []string{"u0", "u1", "u2"}, late.Users(room))
		for _, n := range append(nodes, late) {
			require.Equal(t, 3, n.Stats().Nodes)
			require.NoError(t, n.Check(t.Context()))
		}
	})
}

// TestClusterRecordingsKeepNoNodeAlive repeats the last words of a node that is
// dead.
func TestClusterRecordingsKeepNoNodeAlive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		nodes := []*peer{enter(t, &hub), enter(t, &hub)}
		pass(time.Second)
		w := wiretapOn(t, &hub, nodes[0])
		pass(5 * time.Second)
		nodes[1].bus.Partition()
		w.flood(12_000)
		require.Zero(t, nodes[0].Stats().Nodes)
	})
}

// TestClusterRecordingsAreNoEcho repeats to a node what it has said itself,
// while nothing that it says comes back.
func TestClusterRecordingsAreNoEcho(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		node := enter(t, &hub)
		pass(time.Second)
		w := wiretapOn(t, &hub, node)
		pass(10 * time.Second)
		node.engine.unheardBy.Store(node.engine)
		w.turnOff()
		w.flood(15_000)
		requireDegraded(t, node, "does not come back")
	})
}
