package realtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// ErrUnavailable says that a [Relay] does not send at the moment, because its transport has failed or refused.
var ErrUnavailable = errors.New("realtime: transport unavailable")

// Attempt is one call of the broadcaster by a [Relay].
type Attempt struct {
	Events   int           // how many, above 1 for a batch
	Duration time.Duration // until the answer
	Err      error         // the broadcaster's, the first one of a batch, or nil
}

// The fixed sizes of the relay.
const (
	claimSize   = 256                    // entries in one claim
	purgePeriod = time.Hour              // between looks for entries that are too old
	ackSize     = 256                    // ids in one acknowledgement: at this size a row costs least
	ackDelay    = 200 * time.Millisecond // wait for more ids
	maxPending  = 50_000                 // ids whose acknowledgement has failed; more are forgotten, at the price of duplicates
	collapseMin = 10                     // entries of one channel in one claim above which they are sent as one resync
)

// Relay is a Broadcaster that loses no event: it empties the outbox of a store into another Broadcaster.
//
//	relay, err := realtime.NewRelay(store, transport, nil)
//	go relay.Run(ctx)
//
// An event takes one of two ways. Right after the commit the service hands it off, and the relay sends it, in order for
// each channel, and removes its entry in a batch with others. Whatever that way loses, because the process died, the
// transport failed or the queue was full, is claimed from the outbox when its lease has run out, by the relay of any
// process on the same database. So every event is delivered to the transport at least once, and the receivers, who know
// each change by its rev, drop what they have. Order is kept on the first way; a retry may overtake or be overtaken.
//
// Entries that are older than CollapseAfter, or many in one channel, are not sent one by one: a single resync per channel
// makes the clients fetch, so that recovery from an outage costs a publish for each consultation, not for each message.
//
// A Relay is safe for concurrent use.
type Relay struct {
	outbox   Outbox
	to       Broadcaster
	batch    BatchBroadcaster // to, if it is one
	opts     RelayOptions
	lanes    *lanes
	acks     *acks
	claims   outboxCall
	acking   outboxCall
	breaker  *breaker
	pace     *pace
	wake     chan struct{}
	stats    relayCounters
	troubles outboxLog
	started  atomic.Bool // Run was called
	running  atomic.Bool // and has not returned
}

var _ OutboxBroadcaster = (*Relay)(nil)

// NewRelay makes a relay from an outbox to a broadcaster, both required; opts may be nil. Nothing runs until Run is
// called: until then events wait in the queue, and in the outbox once the queue is full. Leases that are not longer than
// PublishTimeout are an error.
func NewRelay(outbox Outbox, to Broadcaster, opts *RelayOptions) (*Relay, error) {
	if outbox == nil || to == nil {
		return nil, errors.New("realtime: a relay needs an outbox and a broadcaster")
	}
	o := opts.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	batch, _ := to.(BatchBroadcaster)
	return &Relay{
		outbox:  outbox,
		to:      to,
		batch:   batch,
		opts:    o,
		lanes:   newLanes(o.MaxQueue, o.MaxQueueBytes),
		acks:    &acks{full: make(chan struct{}, 1)},
		claims:  outboxCall{timeout: o.outboxTimeout()},
		acking:  outboxCall{timeout: o.outboxTimeout()},
		breaker: newBreaker(o.PublishTimeout),
		pace:    newPace(o.Parallel),
		wake:    make(chan struct{}, 1),
	}, nil
}

// Lease returns how long a fresh entry is reserved for the hand-off.
func (r *Relay) Lease() time.Duration { return r.opts.Lease }

// Broadcast sends an event that has no outbox entry, once. While the transport is down it returns [ErrUnavailable].
func (r *Relay) Broadcast(ctx context.Context, ev Event) error {
	return r.sendOne(ctx, ev, false)
}

// HandOff queues the event of the outbox entry id. It never blocks: with a full queue, or while the transport is down,
// the entry is left to be claimed, unless it is tried as a probe. An event with the id 0 has no entry and is tried once
// at most.
func (r *Relay) HandOff(id int64, ev Event) {
	ok, probe := r.breaker.admitHandOff()
	if !ok || !r.lanes.put(handedOff{id: id, event: ev, at: time.Now(), probe: probe}) {
		r.leave(id)
	}
}

// Wake makes the relay look into the outbox at once, for example after a transaction of the host's was committed.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default: // it is about to
	}
}

// Run sends until ctx ends, then finishes what was handed off, for at most [RelayOptions].Drain, gives the rest back to
// the outbox and returns nil. Stop whatever hands off before, so that nothing is left leased. A relay runs once: every
// further call returns an error at once.
func (r *Relay) Run(ctx context.Context) error {
	if !r.started.CompareAndSwap(false, true) {
		return errors.New("realtime: the relay was run before, make another one")
	}
	r.running.Store(true)
	defer r.running.Store(false)
	// The work outlives ctx by the drain: what is handed off is stored and wants to go out.
	work, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	var running sync.WaitGroup
	for range r.opts.Parallel {
		running.Go(func() {
			for r.lanes.wait() {
				r.sendLanes(work)
			}
		})
	}
	running.Go(func() { r.pollLoop(ctx, work) })
	running.Go(func() { r.ackLoop(ctx) })
	running.Go(func() { r.purgeLoop(ctx) })
	<-ctx.Done()

	r.lanes.close()
	deadline := time.AfterFunc(r.opts.Drain, func() {
		r.lanes.abort()
		abandon()
	})
	defer deadline.Stop()
	running.Wait()
	return r.giveBack(context.WithoutCancel(ctx))
}

// giveBack settles what a drain has left: finished entries are acknowledged, the others become claimable at once.
func (r *Relay) giveBack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.opts.Drain)
	defer cancel()
	err := r.flushAcks(ctx)
	if left := r.lanes.drain(); len(left) > 0 {
		nack, cancel := context.WithTimeout(ctx, r.opts.outboxTimeout())
		err = errors.Join(err, r.outbox.Nack(nack, NackParams{IDs: left}))
		cancel()
	}
	if err != nil {
		return fmt.Errorf("realtime: drain the relay: %w", err)
	}
	return nil
}

// Flush sends, in the caller's goroutine, everything that is queued or due, and acknowledges it. It returns how many
// events went out. It is for tests, and for programs that send at a moment of their own choosing instead of with Run.
func (r *Relay) Flush(ctx context.Context) (int, error) {
	before := r.stats.published.Load()
	for r.lanes.ready() && ctx.Err() == nil {
		r.sendLanes(ctx)
	}
	for {
		n, err := r.claim(ctx)
		if err != nil {
			return int(r.stats.published.Load() - before), err
		}
		if n < claimSize {
			break
		}
	}
	err := r.flushAcks(ctx)
	return int(r.stats.published.Load() - before), err
}

// pollLoop claims what is due, again at once as long as there is much of it, until ctx ends. What it has claimed by then
// it still sends, unless work ends too.
func (r *Relay) pollLoop(ctx, work context.Context) {
	for ctx.Err() == nil {
		n, err := r.claim(work)
		if err != nil && ctx.Err() == nil {
			r.logOutbox(ctx, "outbox not read", err)
		}
		if n == claimSize && err == nil {
			continue
		}
		timer := time.NewTimer(r.breaker.pause(jitter(r.opts.Poll, 0.2)))
		select {
		case <-ctx.Done():
		case <-r.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// purgeLoop removes what is too old, until ctx ends.
func (r *Relay) purgeLoop(ctx context.Context) {
	for {
		n, err := r.purge(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			r.logOutbox(ctx, "outbox not purged", err)
		case n > 0:
			r.stats.purged.Add(n)
			r.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "old outbox entries removed", slog.Int64("entries", n))
		}
		timer := time.NewTimer(jitter(purgePeriod, 0.2))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

func (r *Relay) purge(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, purgeTime)
	defer cancel()
	return r.outbox.Purge(ctx, PurgeParams{Pending: r.opts.KeepPending, Parked: r.opts.KeepParked})
}

// jitter returns d, give or take the share.
func jitter(d time.Duration, share float64) time.Duration {
	return time.Duration(float64(d) * (1 - share + 2*share*rand.Float64()))
}
