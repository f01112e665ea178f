package realtime

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
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
	return MaxBatch
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
	probe := slices.ContainsFunc(ready, func(item handedOff) bool { return item.probe })
	for i, err := range r.send(ctx, evs, probe) {
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

// claim takes due entries and sends them, the channels side by side. It returns how many it took.
func (r *Relay) claim(ctx context.Context) (int, error) {
	limit, probe := r.breaker.admit(claimSize)
	if limit == 0 {
		return 0, nil
	}
	// The lease is counted from before the call: it may end earlier than the store says, never later.
	until := time.Now().Add(r.opts.ClaimLease)
	var entries []Entry
	err := r.claims.run(ctx, func(ctx context.Context) (err error) {
		entries, err = r.outbox.Claim(ctx, ClaimParams{Limit: limit, Lease: r.opts.ClaimLease})
		return err
	})
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
	var untried []Entry
	for _, ch := range order {
		slots <- struct{}{}
		if !probe && !r.breaker.closed() {
			untried = append(untried, groups[ch]...)
			<-slots
			continue
		}
		sending.Go(func() {
			defer func() { <-slots }()
			r.sendGroup(ctx, groups[ch], until, probe)
		})
	}
	if len(untried) > 0 {
		r.retry(ctx, untried, ErrUnavailable)
	}
	sending.Wait()
	return len(entries), nil
}

// sendGroup sends the claimed entries of one channel, one by one while they are few and fresh, as one resync otherwise.
func (r *Relay) sendGroup(ctx context.Context, group []Entry, until time.Time, probe bool) {
	if group = r.sendLeft(ctx, group, until, probe); len(group) == 0 {
		return
	}
	oldest := group[0].Age
	for _, e := range group {
		oldest = max(oldest, e.Age)
	}
	if len(group) > collapseMin || oldest > r.opts.CollapseAfter {
		r.collapse(ctx, group, until, probe)
		return
	}
	for i, e := range group {
		if time.Until(until) < r.opts.PublishTimeout {
			return // somebody else may claim them any moment
		}
		err := r.sendOne(ctx, e.Event, probe)
		switch {
		case err == nil:
			r.acks.add(e.ID)
		case isPermanent(err):
			r.park(ctx, e, err, probe)
		default:
			r.logFailure(ctx, e.Event, err)
			r.retry(ctx, group[i:], err)
			return
		}
	}
}

// sendLeft sends the notices to channels that a consultation has left and returns the other entries of the group. All
// entries with notices were read in one claim and have the same ones, so they are sent once.
func (r *Relay) sendLeft(ctx context.Context, group []Entry, until time.Time, probe bool) (rest []Entry) {
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
		if err := r.sendOne(ctx, ev, probe); err != nil && !isPermanent(err) {
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
func (r *Relay) collapse(ctx context.Context, group []Entry, until time.Time, probe bool) {
	last := group[0]
	for _, e := range group {
		if e.ResyncRev > last.ResyncRev {
			last = e
		}
	}
	if time.Until(until) < r.opts.PublishTimeout {
		return
	}
	switch err := r.sendOne(ctx, last.Resync, probe); {
	case isPermanent(err): // the fault is the channel's
		r.setAside(ctx, group, err)
		return
	case err != nil:
		r.logFailure(ctx, last.Resync, err)
		r.retry(ctx, group, err)
		return
	}
	r.stats.collapsed.Add(int64(len(group)))
	ctx, cancel := r.settling(ctx)
	defer cancel()
	if err := r.outbox.AckThrough(ctx, last.Resync.Channel, last.ResyncRev); err != nil {
		r.logOutbox(ctx, "outbox not acknowledged", err)
	}
}

// retry makes entries claimable again: at once those that were not tried because
// the breaker is open, the others after a wait that grows with the attempts. If
// that fails they wait for the end of their lease instead.
func (r *Relay) retry(ctx context.Context, entries []Entry, cause error) {
	delay := backoff(entries[0].Attempts)
	var limited *RateLimitError
	if errors.As(cause, &limited) {
		delay = max(delay, min(limited.RetryAfter, breakerAsked))
	}
	if r.lanes.isClosed() || errors.Is(cause, ErrUnavailable) {
		delay = 0 // another process may have better luck
	}
	r.nack(ctx, NackParams{IDs: entryIDs(entries), Delay: delay})
}

// backoff is the wait after the given number of attempts: up to a minute, with full jitter above the first second.
func backoff(attempts int) time.Duration {
	return time.Second + rand.N(time.Second<<min(max(attempts, 0), 6))
}

// park sets an entry aside that can never be sent, as soon as the clients were
// told to fetch what it tells of, unless that cannot be sent either.
func (r *Relay) park(ctx context.Context, e Entry, cause error, probe bool) {
	if err := r.sendOne(ctx, e.Resync, probe); err != nil && !isPermanent(err) {
		r.logFailure(ctx, e.Resync, err)
		r.retry(ctx, []Entry{e}, err)
		return
	}
	r.setAside(ctx, []Entry{e}, cause)
}

func (r *Relay) setAside(ctx context.Context, entries []Entry, cause error) {
	r.stats.parked.Add(int64(len(entries)))
	for _, e := range entries {
		r.opts.Logger.LogAttrs(ctx, slog.LevelError, "event parked",
			slog.Int64("outbox_id", e.ID), slog.Any("event", e.Event), slog.Any("err", cause))
	}
	r.nack(ctx, NackParams{IDs: entryIDs(entries), Park: true, Reason: cause.Error()})
}

func entryIDs(entries []Entry) []int64 {
	ids := make([]int64, 0, len(entries))
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

// settling returns a context for a call of the outbox that tells what came of
// claimed entries. It lives on when ctx has ended, because they should not stay
// leased.
func (r *Relay) settling(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), min(r.opts.Drain, r.opts.outboxTimeout()))
}

func (r *Relay) nack(ctx context.Context, p NackParams) {
	ctx, cancel := r.settling(ctx)
	defer cancel()
	if err := r.outbox.Nack(ctx, p); err != nil {
		r.logOutbox(ctx, "outbox entry not given back", err)
	}
}

// logFailure says that ev was tried in vain.
func (r *Relay) logFailure(ctx context.Context, ev Event, err error) {
	if errors.Is(err, ErrUnavailable) {
		return // it was not tried
	}
	r.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "event not broadcast",
		slog.Any("event", ev), slog.Any("err", err))
}
