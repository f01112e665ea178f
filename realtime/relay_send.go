package realtime

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// sendLanes takes idle lanes, if there are any, and sends what is in them, each in its order.
func (r *Relay) sendLanes(ctx context.Context) {
	turns := r.lanes.take(r.batchSize())
	var all []handedOff
	for _, t := range turns {
		all = append(all, t.items...)
	}
	sent := 0
	for sent < len(all) && ctx.Err() == nil {
		n := min(r.batchSize(), len(all)-sent)
		r.sendHandedOff(ctx, all[sent:sent+n])
		sent += n
	}
	for _, t := range turns {
		n := min(sent, len(t.items))
		r.lanes.done(t, t.items[n:])
		sent -= n
	}
}

// batchSize is how many events go into one call of the broadcaster.
func (r *Relay) batchSize() int {
	if r.batch == nil {
		return 1
	}
	return maxBatch
}

// sendHandedOff tries the fast way once. What fails stays leased, and is claimed when the lease has run out: a retry from
// here would hold up the channel.
func (r *Relay) sendHandedOff(ctx context.Context, items []handedOff) {
	evs := make([]Event, 0, len(items))
	ready := make([]handedOff, 0, len(items))
	for _, item := range items {
		// So late that the lease could end while the event is on its way: leave it to whoever claims it.
		late := item.id != 0 && time.Since(item.at) > r.opts.Lease-r.opts.PublishTimeout
		if late || !(item.probe || r.breaker.closed()) {
			r.leave(item.id)
			continue
		}
		ready, evs = append(ready, item), append(evs, item.event)
	}
	for i, err := range r.send(ctx, evs) {
		item := ready[i]
		if err != nil {
			r.leave(item.id)
			r.logFailure(ctx, item.event, err)
			continue
		}
		r.stats.latency(time.Since(item.at))
		r.acks.add(item.id)
	}
}

// leave counts an entry that the fast way did not send.
func (r *Relay) leave(id int64) {
	r.stats.left.Add(1)
	r.lanes.leave(id)
}

// send publishes the events, together where the broadcaster can, and returns an error, or nil, for each.
func (r *Relay) send(ctx context.Context, evs []Event) []error {
	errs := make([]error, len(evs))
	if len(evs) > 1 && r.batch != nil {
		err := r.attempt(ctx, len(evs), func(ctx context.Context) error { return r.batch.BroadcastBatch(ctx, evs) })
		if !isPermanent(err) && !errors.Is(err, ErrTooLarge) {
			for i := range errs {
				errs[i] = err
			}
			return errs
		}
		// One of them is to blame. Alone each shows which.
	}
	for i, ev := range evs {
		errs[i] = r.sendOne(ctx, ev)
	}
	return errs
}

// sendOne publishes ev, in its thin form if it proves too large.
func (r *Relay) sendOne(ctx context.Context, ev Event) error {
	err := r.attempt(ctx, 1, func(ctx context.Context) error { return r.to.Broadcast(ctx, ev) })
	if !errors.Is(err, ErrTooLarge) || ev.Thin == nil {
		return err
	}
	ev.Data, ev.Thin = ev.Thin, nil
	return r.attempt(ctx, 1, func(ctx context.Context) error {
		err := r.to.Broadcast(ctx, ev)
		if errors.Is(err, ErrTooLarge) {
			// Some numbers cannot be too large: it is the quota that is used up.
			err = &RefusedError{Err: err}
		}
		return err
	})
}

// attempt makes one call of the broadcaster for n events, under the timeout and at the pace that it bears, and tells the
// breaker how it went.
func (r *Relay) attempt(ctx context.Context, n int, do func(context.Context) error) error {
	r.pace.acquire()
	r.stats.attempts.Add(1)
	call, cancel := context.WithTimeout(ctx, r.opts.PublishTimeout)
	begin := time.Now()
	err := guard(func() error { return do(call) })
	cancel()
	var refused *RefusedError
	var limited *RateLimitError
	switch {
	case err == nil:
		r.stats.published.Add(int64(n))
		r.breaker.succeeded()
	case ctx.Err() != nil: // we gave up, not the transport
	case errors.As(err, &refused):
		r.breaker.refuse(refused.ProbeAfter)
	case errors.As(err, &limited):
		r.breaker.limited(limited.RetryAfter)
	case isPermanent(err), errors.Is(err, ErrTooLarge):
	default:
		r.breaker.failed()
	}
	r.pace.release(err == nil, limited != nil)
	if r.opts.OnAttempt != nil {
		r.opts.OnAttempt(Attempt{Events: n, Duration: time.Since(begin), Err: err})
	}
	return err
}

// isPermanent reports whether err would come again however often the event is sent.
func isPermanent(err error) bool {
	var permanent *PermanentError
	return errors.As(err, &permanent) || errors.Is(err, ErrInvalidEvent)
}

// claim takes due entries and sends them, the channels side by side. It returns how many it took.
func (r *Relay) claim(ctx context.Context) (int, error) {
	limit := r.breaker.admit(claimSize)
	if limit == 0 {
		return 0, nil
	}
	// The lease is counted from before the call: it may end earlier than the store says, never later.
	until := time.Now().Add(r.opts.ClaimLease)
	entries, err := r.outbox.Claim(ctx, ClaimParams{Limit: limit, Lease: r.opts.ClaimLease})
	if err != nil {
		return 0, err
	}
	if len(entries) == 0 {
		r.breaker.empty()
		return 0, nil
	}
	groups := map[Channel][]Entry{}
	var order []Channel
	for _, e := range entries {
		ch := e.Resync.Channel
		if groups[ch] == nil {
			order = append(order, ch)
		}
		groups[ch] = append(groups[ch], e)
	}
	var sending sync.WaitGroup
	slots := make(chan struct{}, r.opts.Parallel)
	for _, ch := range order {
		slots <- struct{}{}
		sending.Go(func() {
			defer func() { <-slots }()
			r.sendGroup(ctx, groups[ch], until)
		})
	}
	sending.Wait()
	return len(entries), nil
}

// sendGroup sends the claimed entries of one channel, one by one while they are few and fresh, as one resync otherwise.
func (r *Relay) sendGroup(ctx context.Context, group []Entry, until time.Time) {
	if group = r.sendLeft(ctx, group, until); len(group) == 0 {
		return
	}
	oldest := group[0].Age
	for _, e := range group {
		oldest = max(oldest, e.Age)
	}
	if len(group) > collapseMin || oldest > r.opts.CollapseAfter {
		r.collapse(ctx, group, until)
		return
	}
	for i, e := range group {
		if time.Until(until) < r.opts.PublishTimeout {
			return // somebody else may claim them any moment
		}
		err := r.sendOne(ctx, e.Event)
		switch {
		case err == nil:
			r.acks.add(e.ID)
		case isPermanent(err):
			r.park(ctx, e, err)
		default:
			r.logFailure(ctx, e.Event, err)
			r.retry(ctx, group[i:], err)
			return
		}
	}
}

// sendLeft sends the notices to channels that a consultation has left and returns the other entries of the group. All
// entries with notices were read in one claim and have the same ones, so they are sent once.
func (r *Relay) sendLeft(ctx context.Context, group []Entry, until time.Time) (rest []Entry) {
	var left []Entry
	for _, e := range group {
		if len(e.Left) > 0 {
			left = append(left, e)
		} else {
			rest = append(rest, e)
		}
	}
	if len(left) == 0 {
		return group
	}
	for _, ev := range left[len(left)-1].Left {
		if time.Until(until) < r.opts.PublishTimeout {
			return nil // another process may claim the entries any moment
		}
		if err := r.sendOne(ctx, ev); err != nil && !isPermanent(err) {
			r.logFailure(ctx, ev, err)
			r.retry(ctx, group, err)
			return nil
		}
	}
	for _, e := range left {
		r.acks.add(e.ID)
	}
	return rest
}

// collapse sends one resync for the whole group and removes what it covers before anything more is claimed: the next
// claim would find the same channels again.
func (r *Relay) collapse(ctx context.Context, group []Entry, until time.Time) {
	last := group[0]
	for _, e := range group {
		if e.ResyncRev > last.ResyncRev {
			last = e
		}
	}
	if time.Until(until) < r.opts.PublishTimeout {
		return
	}
	if err := r.sendOne(ctx, last.Resync); err != nil {
		r.logFailure(ctx, last.Resync, err)
		r.retry(ctx, group, err)
		return
	}
	r.stats.collapsed.Add(int64(len(group)))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.opts.Drain)
	defer cancel()
	if err := r.outbox.AckThrough(ctx, last.Resync.Channel, last.ResyncRev); err != nil {
		r.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "outbox not acknowledged", slog.Any("err", err))
	}
}

// retry makes entries claimable again after a wait that grows with the attempts. If that fails they wait for the end of
// their lease instead.
func (r *Relay) retry(ctx context.Context, entries []Entry, cause error) {
	ids := make([]int64, 0, len(entries))
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	delay := backoff(entries[0].Attempts)
	var limited *RateLimitError
	if errors.As(cause, &limited) {
		delay = max(delay, limited.RetryAfter)
	}
	if r.lanes.isClosed() {
		delay = 0 // another process may have better luck
	}
	r.nack(ctx, NackParams{IDs: ids, Delay: delay})
}

// backoff is the wait after the given number of attempts: up to a minute, with full jitter above the first second.
func backoff(attempts int) time.Duration {
	return time.Second + rand.N(time.Second<<min(max(attempts, 0), 6))
}

// park sets an entry aside that can never be sent, and tries to make the clients fetch what it told of.
func (r *Relay) park(ctx context.Context, e Entry, cause error) {
	r.stats.parked.Add(1)
	r.opts.Logger.LogAttrs(ctx, slog.LevelError, "event parked",
		slog.Int64("outbox_id", e.ID), slog.Any("event", e.Event), slog.Any("err", cause))
	r.nack(ctx, NackParams{IDs: []int64{e.ID}, Park: true, Reason: cause.Error()})
	if err := r.sendOne(ctx, e.Resync); err != nil {
		r.logFailure(ctx, e.Resync, err)
	}
}

// nack also works when ctx has ended: what was claimed should not stay leased.
func (r *Relay) nack(ctx context.Context, p NackParams) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.opts.Drain)
	defer cancel()
	if err := r.outbox.Nack(ctx, p); err != nil {
		r.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "outbox entry not given back", slog.Any("err", err))
	}
}

func (r *Relay) logFailure(ctx context.Context, ev Event, err error) {
	r.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "event not broadcast",
		slog.Any("event", ev), slog.Any("err", err))
}
