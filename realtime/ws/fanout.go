package ws

import (
	"context"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/murph-chat/murph/realtime"
)

const (
	// shardQueue is how many events wait in one shard. At the largest size of an event that is 5 MB.
	shardQueue = 256
	// maxJoined and maxJoinedBytes bound what is joined. Two batches fit into a connection's queue, so that one that has
	// to be queued as a whole leaves a client that reads the time to do so.
	maxJoined      = 32
	maxJoinedBytes = 64 << 10
)

// fanout brings events to the subscribers of their channels. All events of a channel go through the same shard, which
// keeps their order. A shard joins what waits for a channel and gives it to each subscriber as one write. It has a
// goroutine as long as it has work.
type fanout struct {
	server *Server
	shards []*shard
}

// shipment is an event on its way.
type shipment struct {
	channel  realtime.Channel
	frame    []byte
	except   realtime.SocketID
	audience string // see [realtime.Event.Audience]; empty without Config.FixedChannel
	moment   moment
	barrier  chan struct{} // instead of an event: closed when all in front of it is done
}

func newFanout(s *Server) *fanout {
	f := &fanout{server: s, shards: make([]*shard, runtime.GOMAXPROCS(0))}
	for i := range f.shards {
		f.shards[i] = &shard{
			server: s, queue: make(chan shipment, shardQueue),
			maxFrames: max(1, min(maxJoined, s.cfg.MaxQueueFrames/2)),
			maxBytes:  min(maxJoinedBytes, s.cfg.MaxQueueBytes/2),
			groups:    make(map[realtime.Channel]*group),
			sender:    newSender(),
		}
		f.shards[i].run = f.shards[i].work // made once: one for each start would be an allocation
	}
	return f
}

// post hands over a frame for the connections in s.audience that are subscribed
// to s.channel now and still are when it is delivered, except the one named
// s.except. It waits for room in the shard, and fails with ctx.Err() when ctx
// ends before there is any. No client can make it wait: a shard never does.
func (f *fanout) post(ctx context.Context, s shipment) error {
	s.moment = f.server.hub.tick()
	return f.shards[shardOf(s.channel, len(f.shards))].post(ctx, s)
}

// flush waits until what was posted before has been delivered or queued.
func (f *fanout) flush(ctx context.Context) error {
	for _, sh := range f.shards {
		barrier := make(chan struct{})
		if err := sh.post(ctx, shipment{barrier: barrier}); err != nil {
			return err
		}
		select {
		case <-barrier:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// shardOf is FNV-1a.
func shardOf(ch realtime.Channel, n int) int {
	h := uint32(2166136261)
	for i := range len(ch) {
		h = (h ^ uint32(ch[i])) * 16777619
	}
	return int(h % uint32(n))
}

// shard is one queue of events and the goroutine that works on it.
type shard struct {
	server    *Server
	queue     chan shipment
	running   atomic.Bool
	run       func()
	maxFrames int
	maxBytes  int

	// The goroutine's. All of it is kept from one batch to the next, so that a delivery allocates nothing.
	groups map[realtime.Channel]*group
	order  []*group
	free   []*group
	joined []byte
	some   [][]byte
	sender *sender

	readers map[*conn]reader // of the current group, if a frame of it has an audience
}

func (sh *shard) post(ctx context.Context, s shipment) error {
	select {
	case sh.queue <- s:
	default:
		select {
		case sh.queue <- s:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if sh.running.CompareAndSwap(false, true) {
		go sh.run()
	}
	return nil
}

// work delivers until the queue is empty.
func (sh *shard) work() {
	for {
		select {
		case s := <-sh.queue:
			sh.batch(s)
			continue
		default:
		}
		sh.running.Store(false)
		// What was posted before that found the shard running.
		if len(sh.queue) == 0 || !sh.running.CompareAndSwap(false, true) {
			return
		}
	}
}

// batch delivers s and what else waits already.
func (sh *shard) batch(s shipment) {
	for n := 1; ; n++ {
		if s.barrier != nil {
			sh.deliver()
			close(s.barrier)
			return
		}
		if g := sh.add(s); len(g.frames) >= sh.maxFrames || g.bytes >= sh.maxBytes || n >= shardQueue {
			break
		}
		select {
		case s = <-sh.queue:
			continue
		default:
		}
		break
	}
	sh.deliver()
}

func (sh *shard) add(s shipment) *group {
	g := sh.groups[s.channel]
	if g == nil {
		if n := len(sh.free); n > 0 {
			g, sh.free = sh.free[n-1], sh.free[:n-1]
		} else {
			g = new(group)
		}
		g.channel, g.anyone = s.channel, true
		sh.groups[s.channel] = g
		sh.order = append(sh.order, g)
	}
	g.frames = append(g.frames, s.frame)
	g.excepts = append(g.excepts, s.except)
	g.moments = append(g.moments, s.moment)
	g.anyone = g.anyone && s.except == ""
	g.bytes += len(s.frame)
	if s.audience != "" || g.restricted() {
		g.restrict(s.audience)
	}
	return g
}

// deliver sends out what add has put together.
func (sh *shard) deliver() {
	queued := false
	for _, g := range sh.order {
		if g.restricted() {
			sh.readers = sh.server.hub.readers(g.channel)
		}
		queued = sh.send(g, sh.server.hub.subscribers(g.channel)) || queued
		delete(sh.groups, g.channel)
		clear(g.frames)
		clear(g.excepts)
		*g = group{frames: g.frames[:0], excepts: g.excepts[:0], moments: g.moments[:0]}
		sh.readers = nil
		sh.free = append(sh.free, g)
	}
	sh.order = sh.order[:0]
	if queued {
		sh.server.shed()
		runtime.Gosched() // those who empty the queues go first
	}
}

// send gives every subscriber in to its frames of g, and reports whether any of that is in a queue now.
func (sh *shard) send(g *group, to []target) (queued bool) {
	joined := g.frames[0]
	if len(g.frames) > 1 {
		joined = sh.join(g.frames)
	}
	var messages, bytes uint64
	earliest := slices.Min(g.moments)
	for i, t := range to {
		if i%ahead == 0 {
			touch(to[i:min(i+ahead, len(to))])
		}
		frames, part := g.frames, joined
		if t.since >= earliest || !g.anyone && g.excludes(t.conn.id) {
			if frames = sh.pick(g, t); len(frames) == 0 {
				continue
			}
			part = frames[0]
			if len(frames) > 1 {
				part = slices.Concat(frames...)
			}
		}
		switch t.conn.wire.deliver(part, frames, sh.sender) {
		case waits:
			queued = true
			fallthrough
		case taken:
			messages += uint64(len(frames))
			bytes += uint64(len(part))
		case noRoom:
			t.conn.overflow()
		case tooLate:
		}
	}
	sh.server.messagesOut.Add(messages)
	sh.server.traffic.out.Add(bytes)
	return queued
}

// ahead is how many subscribers are looked at before the first of them is written to.
const ahead = 16

// touch brings what a delivery needs into the processor's cache, for several connections at the same time. Each on its
// own, behind the system call of the one before, would be waited for.
func touch(list []target) {
	sum := uint32(0)
	for _, t := range list {
		sum += t.conn.wire.raw.touch()
	}
	runtime.KeepAlive(sum) // or it could be left out
}

// join puts the frames into the shard's buffer.
func (sh *shard) join(frames [][]byte) []byte {
	sh.joined = sh.joined[:0]
	for _, f := range frames {
		sh.joined = append(sh.joined, f...)
	}
	return sh.joined
}

// pick returns the frames of g that t gets: those from after its subscription
// that do not except it and have it in their audience.
func (sh *shard) pick(g *group, t target) [][]byte {
	sh.some = sh.some[:0]
	for i, f := range g.frames {
		if g.moments[i] > t.since && g.excepts[i] != t.conn.id &&
			(!g.restricted() || sh.readers[t.conn].mayRead(g.audiences[i])) {
			sh.some = append(sh.some, f)
		}
	}
	return sh.some
}
