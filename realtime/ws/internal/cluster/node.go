package cluster

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// The times of the cluster.
const (
	beatEvery     = 2 * time.Second         // give or take a tenth
	deadAfter     = 10 * time.Second        // without a sign of life
	tickEvery     = 250 * time.Millisecond  // how often is looked at what is due
	pausedAfter   = 4 * time.Second         // between two ticks, the process itself has been stopped
	learnFor      = 2500 * time.Millisecond // more than one heartbeat of everybody
	userDelay     = 20 * time.Millisecond   // news of members wait this long for others,
	countDelay    = 500 * time.Millisecond  // and mere numbers this long
	snapshotDelay = 100 * time.Millisecond  // so that one answer does for all who ask
	helloEvery    = time.Second
	remindEvery   = 10 * time.Second // while the bus is down
	forgetAfter   = 30 * time.Second // who has left, so that no late frame brings them back
	leaveTimeout  = 2 * time.Second
	inboxSize     = 1024 // frames that have been received and wait
)

// Config is what a Node needs.
type Config struct {
	Bus         realtime.Bus
	Secret, App string // nodes hear each other when these are the same
	Local       Local
	Logger      *slog.Logger
}

// ErrLeft says that this node is no part of the cluster any more.
var ErrLeft = errors.New("this node has left the cluster")

// Node is one process's part in a cluster. Its methods are safe for concurrent use.
type Node struct {
	id     NodeID
	bus    realtime.Bus
	local  Local
	logger *slog.Logger
	opener *sealer
	send   *sender

	inbox    chan arrival
	orders   chan *order
	stirred  [2]chan struct{} // for numbers, and for members
	running  atomic.Bool
	alone    atomic.Bool   // nobody is to be told anything
	gone     chan struct{} // closed when it has left
	finished chan struct{} // closed when Run has returned

	// The rest is of the goroutine of Run.
	peers      map[NodeID]*peer
	left       map[NodeID]time.Time
	former     map[NodeID][realtime.BusShards]uint64 // how far those who are gone had counted
	refused    time.Time                             // when a frame was last complained of
	beat       heartbeat
	up         bool
	since      time.Time // when up has changed last, or the process went on
	ticked     time.Time
	beatDue    time.Time
	changesDue time.Time // or zero
	answerDue  time.Time // or zero
	asked      time.Time
	reminded   time.Time
	leader     NodeID    // or 0
	leaderSeen time.Time // when it was last known to live
	leading    bool
	pending    map[uint64]*order
	lastOrder  uint64

	figures figures
}

// figures are counters for Stats.
type figures struct {
	up                              atomic.Bool
	peers                           atomic.Int64
	refusedAt                       atomic.Int64 // Unix time in nanoseconds
	received, refused, gaps, events atomic.Uint64
}

// arrival is what the bus has reported.
type arrival struct {
	shard uint8
	frame []byte
	up    bool // if there is no frame
	err   error
}

// NewNode makes a Node, which does nothing until Run.
func NewNode(cfg Config) *Node {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand, Go 1.24)
	id := NodeID(binary.BigEndian.Uint64(b[:]))
	k := key(cfg.Secret, cfg.App)
	n := &Node{
		id: id, bus: cfg.Bus, local: cfg.Local, logger: cfg.Logger,
		opener:   newSealer(k),
		send:     newSender(id, cfg.Bus, k, cfg.Logger),
		inbox:    make(chan arrival, inboxSize),
		orders:   make(chan *order),
		stirred:  [2]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)},
		gone:     make(chan struct{}),
		finished: make(chan struct{}),
		peers:    make(map[NodeID]*peer),
		left:     make(map[NodeID]time.Time),
		former:   make(map[NodeID][realtime.BusShards]uint64),
		pending:  make(map[uint64]*order),
	}
	n.alone.Store(true)
	return n
}

// Publish sends an event to the other nodes, and fails after this one has left, because nobody would notice the loss. A
// node that does not run yet, or whose bus has given up, is alone, and that is no error. It never blocks.
func (n *Node) Publish(e Event) error {
	if n.alone.Load() {
		return nil
	}
	if !n.send.put(record{shard: ShardOf(e.Channel), kind: kindEvent, payload: e.append(nil)}) {
		return ErrLeft
	}
	return nil
}

// Wake has every other node look into the outbox.
func (n *Node) Wake() {
	if !n.alone.Load() {
		n.send.put(record{kind: kindWake})
	}
}

// Stir says that Local has changes, of members or of mere numbers.
func (n *Node) Stir(members bool) {
	i := 0
	if members {
		i = 1
	}
	select {
	case n.stirred[i] <- struct{}{}:
	default:
	}
}

// Run takes part until ctx ends, says so to the others, and returns nil, or the error of a bus that has given up. It may
// be called once.
func (n *Node) Run(ctx context.Context) error {
	n.running.Store(true)
	n.alone.Store(false)
	defer close(n.finished)
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	broken := make(chan error, 1)
	receiving, stopReceiving := context.WithCancel(working)
	var receiver, sender sync.WaitGroup
	receiver.Go(func() { broken <- n.bus.Run(receiving, reporter{n, receiving}) })
	sender.Go(func() { n.send.run(working) })
	err := n.loop(ctx, broken)
	n.alone.Store(err != nil)
	n.leave(err != nil)
	close(n.gone)
	t := time.AfterFunc(leaveTimeout, stop)
	defer t.Stop()
	sender.Wait()
	stopReceiving() // not before: some engines publish only while they receive
	receiver.Wait()
	return err
}

// Gone is closed when the node has left: it does nothing any more but send what waits.
func (n *Node) Gone() <-chan struct{} { return n.gone }

// leave says goodbye behind all that waits, and forgets the others. They speak from now on, of all that was too; a node
// that goes on alone speaks for itself. Where there are no others it says all there is.
func (n *Node) leave(alone bool) {
	n.announce(false)
	n.send.put(record{kind: kindLeave, beat: n.says()})
	n.send.close()
	switch {
	case len(n.peers) > 0:
		n.local.Lead(false, time.Time{})
		for id := range n.peers {
			n.local.Merge(id, nil, true)
		}
		if alone {
			n.local.Lead(true, time.Now().Add(time.Hour)) // nothing of what was, that it has lost the others included
		}
	case !n.leading:
		n.local.Lead(true, time.Time{})
	}
	for _, o := range n.pending {
		o.end()
	}
	n.figures.up.Store(false)
	n.figures.peers.Store(0)
}

// reporter passes on what the bus reports, in order, to the goroutine of Run.
type reporter struct {
	n   *Node
	ctx context.Context
}

func (r reporter) Frame(shard uint8, frame []byte) {
	r.pass(arrival{shard: shard, frame: append([]byte{}, frame...)})
}
func (r reporter) Up()            { r.pass(arrival{up: true}) }
func (r reporter) Down(err error) { r.pass(arrival{err: err}) }

func (r reporter) pass(a arrival) {
	select {
	case r.n.inbox <- a:
	case <-r.ctx.Done():
	}
}

func (n *Node) loop(ctx context.Context, broken <-chan error) error {
	now := time.Now()
	n.beat.started = uint64(now.UnixMilli())
	n.since, n.ticked, n.beatDue = now, now, now.Add(beatEvery)
	n.local.Lead(false, now)
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	soon := time.NewTimer(time.Hour) // for what is due before the next tick
	defer soon.Stop()
	for {
		if next := n.next(); !next.IsZero() {
			soon.Reset(max(0, time.Until(next)))
		}
		select {
		case a := <-n.inbox:
			n.take(a)
		case <-n.stirred[0]:
			n.changesDue = earlier(n.changesDue, time.Now().Add(countDelay))
		case <-n.stirred[1]:
			n.changesDue = earlier(n.changesDue, time.Now().Add(userDelay))
		case o := <-n.orders:
			n.order(o)
		case <-soon.C:
			n.due(time.Now())
		case <-tick.C:
			n.tick(time.Now())
		case err := <-broken:
			if ctx.Err() != nil {
				return nil
			}
			return err
		case <-ctx.Done():
			return nil
		}
	}
}
