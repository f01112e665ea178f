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
	farewellFor   = 30 * time.Second // others may go on listing a node that has left
	mournFor      = time.Minute      // Check tells of a node that was given up
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
	name   string // of the bus
	local  Local
	logger *slog.Logger
	send   *sender
	began  time.Time

	inbox    chan arrival
	orders   chan *order
	stirred  [2]chan struct{} // for numbers, and for members
	running  atomic.Bool
	alone    atomic.Bool   // nobody is to be told anything
	gone     chan struct{} // closed when it has left
	finished chan struct{} // closed when Run has returned

	// The goroutine of the bus alone uses these.
	opener     *sealer
	complained time.Time // when a frame was last logged that no node has made
	echo       uint64    // the highest number of an own frame on shard 0

	// The goroutine of Run alone uses the rest.
	peers      map[NodeID]*peer
	suspects   map[NodeID]suspect
	left       map[NodeID]time.Time // nodes that have said goodbye lately
	dead       map[NodeID]time.Time // nodes that were given up lately
	unheard    map[NodeID]time.Time // nodes that a peer hears and this one does not, since when
	pulsed     time.Time            // when the last heartbeat was sent
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
	unheard, deaf, dead             atomic.Int64
	mute                            atomic.Bool
	echoed                          atomic.Int64 // when an own frame came back last, in nanoseconds since began
	received, refused, gaps, events atomic.Uint64
}

// arrival is what the bus has reported.
type arrival struct {
	shard uint8
	frame frame
	empty bool  // there is no frame,
	up    bool  // but Up was called,
	err   error // or Down
}

// NewNode makes a Node, which does nothing until Run.
func NewNode(cfg Config) (*Node, error) {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand, Go 1.24)
	id := NodeID(binary.BigEndian.Uint64(b[:]))
	derived, err := derive(cfg.Secret, cfg.App)
	if err != nil {
		return nil, err
	}
	seal, err := newSealer(derived.key)
	if err != nil {
		return nil, err
	}
	opener := *seal
	n := &Node{
		id: id, bus: cfg.Bus, name: derived.name, local: cfg.Local, logger: cfg.Logger,
		opener:   &opener,
		send:     newSender(id, cfg.Bus, seal, cfg.Logger),
		began:    time.Now(),
		inbox:    make(chan arrival, inboxSize),
		orders:   make(chan *order),
		stirred:  [2]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)},
		gone:     make(chan struct{}),
		finished: make(chan struct{}),
		peers:    make(map[NodeID]*peer),
		suspects: make(map[NodeID]suspect),
		left:     make(map[NodeID]time.Time),
		dead:     make(map[NodeID]time.Time),
		unheard:  make(map[NodeID]time.Time),
		pending:  make(map[uint64]*order),
	}
	n.alone.Store(true)
	return n, nil
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
	receiver.Go(func() { broken <- n.bus.Run(receiving, n.name, reporter{n, receiving}) })
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
	n.figures.unheard.Store(0)
	n.figures.deaf.Store(0)
	n.figures.dead.Store(0)
	n.figures.mute.Store(false)
}

// reporter passes on what the bus reports, in order, to the goroutine of Run.
type reporter struct {
	n   *Node
	ctx context.Context
}

func (r reporter) Frame(shard uint8, frame []byte) {
	if f, ok := r.n.open(shard, frame); ok {
		r.pass(arrival{shard: shard, frame: f})
	}
}
func (r reporter) Up()            { r.pass(arrival{empty: true, up: true}) }
func (r reporter) Down(err error) { r.pass(arrival{empty: true, err: err}) }

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
