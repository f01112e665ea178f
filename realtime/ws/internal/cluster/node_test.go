package cluster_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/ws/internal/cluster"
)

const (
	secret = "secret"
	app    = "app"
	ch     = realtime.Channel("private-a")
	other  = cluster.NodeID(7)
)

// log is a Local that writes down what it is told.
type log struct {
	mu    sync.Mutex
	lines []string
	views map[cluster.NodeID]cluster.Totals
}

func (l *log) note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *log) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	l.lines = nil
	return lines
}

func (l *log) Event(e cluster.Event) {
	l.note("event %s %d %d", e.Channel, len(e.Message), len(e.Data))
}
func (l *log) Missed(shard uint8) { l.note("missed %d", shard) }
func (l *log) Changes(bool) ([]cluster.State, cluster.Totals) {
	return nil, cluster.Totals{}
}

func (l *log) Merge(node cluster.NodeID, states []cluster.State, whole bool) cluster.Totals {
	l.note("merge %d %d %t", node, len(states), whole)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.views == nil {
		l.views = make(map[cluster.NodeID]cluster.Totals)
	}
	t := l.views[node]
	if whole {
		t = cluster.Totals{}
	}
	for _, s := range states {
		t.Channels++
		t.Subscriptions += uint64(s.Count)
	}
	l.views[node] = t
	return t
}

func (l *log) Do(c cluster.Command)        { l.note("do %+v", c) }
func (l *log) Lead(lead bool, _ time.Time) { l.note("lead %t", lead) }
func (l *log) Woken()                      { l.note("woken") }

// newNode makes a node that is fed by hand. It has just come up.
func newNode() (*cluster.Node, *log) {
	var hub inmem.BusHub
	l := &log{}
	n, err := cluster.NewNode(cluster.Config{Bus: hub.Node(), Secret: secret, App: app, Local: l, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	n.BusUp()
	n.Waiting()
	l.take()
	return n, l
}

// newPair makes a node that has met the other one, whose next frame on shard 0 is the second one.
func newPair() (*cluster.Node, *log) {
	n, l := newNode()
	n.Receive(0, forge(0, 1, cluster.KindHeartbeat, cluster.Heartbeat(cluster.Totals{}, counted(1), n.Proof())))
	n.Waiting()
	return n, l
}

func counted(n uint64) (c [realtime.BusShards]uint64) {
	c[0] = n
	return c
}

func forge(shard uint8, n uint64, kind byte, payload []byte) []byte {
	return cluster.Forge(secret, app, shard, other, n, cluster.AppendRecord(nil, kind, payload))
}

var event = cluster.Event{Channel: ch, Message: []byte("m")}

func TestFramesAreCounted(t *testing.T) {
	t.Parallel()
	n, l := newPair()
	shard := cluster.ShardOf(ch)
	first := forge(shard, 1, cluster.KindEvent, event.Append())
	n.Receive(shard, first)
	require.Equal(t, []string{"event private-a 1 0"}, l.take())
	n.Receive(shard, first)
	require.Empty(t, l.take(), "the engine, or a stranger, repeats a frame")
	n.Receive(shard, forge(shard, 3, cluster.KindEvent, event.Append()))
	require.Equal(t, []string{fmt.Sprint("missed ", shard), "event private-a 1 0"}, l.take())
	n.Receive(shard, forge(shard, 2, cluster.KindEvent, event.Append()))
	require.Empty(t, l.take(), "it has been made good")

	var counters [realtime.BusShards]uint64
	counters[0], counters[shard] = 2, 4
	n.Receive(0, forge(0, 2, cluster.KindHeartbeat, cluster.Heartbeat(cluster.Totals{}, counters)))
	require.Equal(t, []string{fmt.Sprint("missed ", shard)}, l.take(), "the last one was lost too")
	counters[0] = 3
	n.Receive(0, forge(0, 3, cluster.KindHeartbeat, cluster.Heartbeat(cluster.Totals{}, counters)))
	require.Empty(t, l.take())
}

// TestUnknownKindsAreSkipped sends what a later version may add: kinds of
// records, and fields.
func TestUnknownKindsAreSkipped(t *testing.T) {
	t.Parallel()
	shard := cluster.ShardOf(ch)
	records := cluster.AppendRecord(nil, 200, []byte("?"))
	records = cluster.AppendRecord(records, cluster.KindEvent, append(event.Append(), "more"...))
	n, l := newPair()
	n.Receive(shard, cluster.Forge(secret, app, shard, other, 1, records))
	require.Equal(t, []string{"event private-a 1 0"}, l.take())
	require.Equal(t, 1, n.Stats().Nodes)
}

func TestCopiesAreCompared(t *testing.T) {
	t.Parallel()
	n, l := newPair()
	send := func(i uint64, kind byte, payload []byte) { n.Receive(0, forge(0, i+1, kind, payload)) }
	state := cluster.State{Channel: ch, Count: 2}.Append()
	beat := func(i uint64, subs uint64) {
		var counters [realtime.BusShards]uint64
		counters[0] = i + 1
		send(i, cluster.KindHeartbeat, cluster.Heartbeat(cluster.Totals{Channels: 1, Subscriptions: subs}, counters))
	}
	send(1, cluster.KindState, state)
	require.Empty(t, l.take(), "a change of what is not known")
	send(2, cluster.KindSnapshot, nil)
	send(3, cluster.KindState, state)
	send(4, cluster.KindEnd, nil)
	require.Equal(t, []string{"merge 7 1 true"}, l.take())
	n.Waiting()
	beat(5, 2)
	require.Empty(t, n.Waiting())
	beat(6, 3)
	send(7, cluster.KindState, state)
	require.Empty(t, l.take(), "the copy is wrong, so a change of it means nothing")

	send(8, cluster.KindSnapshot, nil)
	send(9, cluster.KindState, state)
	send(11, cluster.KindEnd, nil) // one is missing
	require.Equal(t, []string{"missed 0"}, l.take())
	var counters [realtime.BusShards]uint64
	counters[0], counters[3] = 13, 1
	send(12, cluster.KindLeave, cluster.Heartbeat(cluster.Totals{}, counters))
	require.Equal(t, []string{"missed 3", "merge 7 0 true", "woken"}, l.take(), "its last words count")
	send(13, cluster.KindState, state)
	require.Zero(t, n.Stats().Nodes, "late frames do not bring it back")
}

func TestCommandsAreDoneOnce(t *testing.T) {
	t.Parallel()
	n, l := newPair()
	for i := range uint64(3) {
		n.Receive(0, forge(0, 2+i, cluster.KindCommand, cluster.AppendCommand(5, cluster.Command{CloseUser: "ann"})))
	}
	require.Equal(t, []string{"do {CloseUser:ann Revoke:[] Keep:[] Rev:0}"}, l.take())
	n.Receive(0, forge(0, 5, cluster.KindCommand, cluster.AppendCommand(6, cluster.Command{
		Revoke: []realtime.Channel{"private-a", "presence-a"}, Keep: []string{"a", "b"}, Rev: -7,
	})))
	require.Equal(t, []string{"do {CloseUser: Revoke:[private-a presence-a] Keep:[a b] Rev:-7}"}, l.take())
}

// TestLargeRecords sends what does not fit into a frame.
func TestLargeRecords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		a, b := &log{}, &log{}
		ctx, stop := context.WithCancel(t.Context())
		var tasks sync.WaitGroup
		var nodes []*cluster.Node
		for _, l := range []*log{a, b} {
			n, err := cluster.NewNode(cluster.Config{
				Bus: small{hub.Node()}, Secret: secret, App: app, Local: l, Logger: slog.New(slog.DiscardHandler),
			})
			require.NoError(t, err)
			nodes = append(nodes, n)
			tasks.Go(func() { _ = n.Run(ctx) })
		}
		<-time.After(4 * time.Second)
		a.take()
		b.take()
		want := []string{}
		for _, size := range []int{1, 900, 960, 970, 980, 990, 1000, 1024, 5000, 100_000} {
			nodes[0].Publish(cluster.Event{Channel: ch, Message: []byte(strings.Repeat("x", size))})
			want = append(want, fmt.Sprintf("event private-a %d 0", size))
		}
		synctest.Wait()
		require.Equal(t, want, b.take())
		require.Empty(t, a.take())
		stop()
		tasks.Wait()
	})
}

// TestSmallFrames has two nodes meet although each has so many recordings to
// answer that a heartbeat with all of them does not fit into a frame.
func TestSmallFrames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		ctx, stop := context.WithCancel(t.Context())
		var tasks sync.WaitGroup
		var nodes []*cluster.Node
		for range 2 {
			n, err := cluster.NewNode(cluster.Config{
				Bus: small{hub.Node()}, Secret: secret, App: app, Local: &log{}, Logger: slog.New(slog.DiscardHandler),
			})
			require.NoError(t, err)
			nodes = append(nodes, n)
			tasks.Go(func() { _ = n.Run(ctx) })
			synctest.Wait()
			for id := range cluster.NodeID(200) {
				records := cluster.AppendRecord(nil, cluster.KindHeartbeat, cluster.HeartbeatIn(0, counted(1)))
				hub.Inject(cluster.BusName(secret, app), 0, cluster.Forge(secret, app, 0, 1000+id, 1, records))
			}
		}
		<-time.After(7 * time.Second)
		for _, n := range nodes {
			require.Equal(t, 1, n.Stats().Nodes)
		}
		stop()
		tasks.Wait()
	})
}

// small is a bus with the smallest frames that there may be.
type small struct{ realtime.Bus }

func (small) MaxFrame() int { return 1024 }

func (s small) Publish(ctx context.Context, shard uint8, frame []byte) error {
	if len(frame) > 1024 {
		return realtime.ErrTooLarge
	}
	return s.Bus.Publish(ctx, shard, frame)
}

// FuzzFrames has a node of the same cluster send anything.
func FuzzFrames(f *testing.F) {
	f.Add(uint8(0), uint64(1), []byte{})
	for _, record := range [][]byte{
		cluster.AppendRecord(nil, cluster.KindEvent, event.Append()),
		cluster.AppendRecord(nil, cluster.KindState, cluster.State{
			Channel: "presence-a", Count: 1, Users: map[string]json.RawMessage{"u": []byte("{}")}, Gone: []string{"v"},
		}.Append()),
		cluster.AppendRecord(cluster.AppendRecord(nil, cluster.KindSnapshot, nil), cluster.KindEnd, nil),
		cluster.AppendRecord(nil, cluster.KindCommand, cluster.AppendCommand(1, cluster.Command{Revoke: []realtime.Channel{ch}, Keep: []string{"u"}})),
		cluster.AppendRecord(nil, cluster.KindHeartbeat, cluster.Heartbeat(cluster.Totals{}, [realtime.BusShards]uint64{3})),
		cluster.AppendRecord(nil, 1, []byte("part")),
	} {
		f.Add(cluster.ShardOf(ch), uint64(2), record)
		f.Add(uint8(0), uint64(1), record)
	}
	f.Fuzz(func(t *testing.T, shard uint8, number uint64, records []byte) {
		n, _ := newPair()
		shard %= realtime.BusShards
		n.Receive(shard, records)
		n.Receive(shard, cluster.Forge(secret, app, shard, other, number, records))
		n.Receive(shard, cluster.Forge(secret, app, shard, other, number+1, records))
		require.LessOrEqual(t, n.Stats().Nodes, 1)
	})
}
