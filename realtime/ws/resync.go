package ws

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
	"github.com/murph-chat/murph/realtime/ws/internal/cluster"
)

const (
	resyncPause = 5 * time.Second       // between two of one channel
	resyncStep  = 50 * time.Millisecond // and
	resyncBatch = 100                   // of all channels at each step, which is 2,000 a second
)

// resyncs has the subscribers of channels fetch what they may have missed. How often is bounded, for each channel and
// altogether, because all who are told ask the database.
type resyncs struct {
	server *Server
	marked chan struct{} // has a token when there are shards
	sent   atomic.Uint64

	mu     sync.Mutex // guards what follows
	shards uint32     // one bit for each

	// The rest is the goroutine's.
	due  map[realtime.Channel]time.Time
	last map[realtime.Channel]time.Time
}

func newResyncs(s *Server) *resyncs {
	return &resyncs{
		server: s, marked: make(chan struct{}, 1),
		due: make(map[realtime.Channel]time.Time), last: make(map[realtime.Channel]time.Time),
	}
}

// mark says that events of the shard's channels may have been lost.
func (r *resyncs) mark(shard uint8) {
	r.mu.Lock()
	r.shards |= 1 << shard
	r.mu.Unlock()
	select {
	case r.marked <- struct{}{}:
	default:
	}
}

// run works until ctx ends. It sleeps while there is nothing to do.
func (r *resyncs) run(ctx context.Context) {
	for {
		var step <-chan time.Time
		var t *time.Timer
		if len(r.due) > 0 || len(r.last) > 0 {
			t = time.NewTimer(resyncStep)
			step = t.C
		}
		select {
		case <-r.marked:
			r.collect(time.Now())
		case <-step:
			r.step(ctx, time.Now())
		case <-ctx.Done():
			return
		}
		if t != nil {
			t.Stop()
		}
	}
}

// collect finds the channels of the marked shards.
func (r *resyncs) collect(now time.Time) {
	r.mu.Lock()
	shards := r.shards
	r.shards = 0
	r.mu.Unlock()
	if r.server.cfg.Resync == nil {
		return
	}
	for _, ch := range r.server.hub.names() {
		if shards&(1<<cluster.ShardOf(ch)) == 0 {
			continue
		}
		if _, ok := r.due[ch]; ok {
			continue
		}
		at := now.Add(rand.N(200 * time.Millisecond))
		if last, ok := r.last[ch]; ok && last.Add(resyncPause).After(at) {
			at = last.Add(resyncPause)
		}
		r.due[ch] = at
	}
}

// step sends some of what is due.
func (r *resyncs) step(ctx context.Context, now time.Time) {
	n := 0
	for ch, at := range r.due {
		if n == resyncBatch {
			break
		}
		if now.Before(at) {
			continue
		}
		n++
		delete(r.due, ch)
		r.last[ch] = now
		r.send(ctx, ch)
	}
	for ch, at := range r.last {
		if now.Sub(at) >= resyncPause {
			delete(r.last, ch)
		}
	}
}

// send has the host make the event, and sends it to the subscribers on this node.
func (r *resyncs) send(ctx context.Context, ch realtime.Channel) {
	defer func() {
		if p := recover(); p != nil {
			r.server.panicked(p)
		}
	}()
	ev, ok := r.server.cfg.Resync(ch)
	if !ok || ev.Validate() != nil || r.server.address(&ev) != nil {
		return
	}
	r.sent.Add(1)
	_ = r.server.deliverHere(ctx, cluster.Event{
		Channel: ev.Channel, Except: ev.Except, Message: pusherproto.AppendEvent(nil, ev), Audience: ev.Audience,
	})
}

// names returns the names of all channels that have a local subscriber.
func (h *hub) names() []realtime.Channel {
	h.mu.RLock()
	defer h.mu.RUnlock()
	all := make([]realtime.Channel, 0, len(h.channels))
	for name := range h.channels {
		if !isPersonal(name) {
			all = append(all, name)
		}
	}
	return all
}
