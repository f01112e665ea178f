package realtime

import (
	"context"
	"sync"
	"time"
)

// acks collects the ids of entries that were sent, so that one statement removes many.
type acks struct {
	full chan struct{} // one token: enough ids for a batch

	mu  sync.Mutex // guards ids
	ids []int64
}

// add notes an id, unless there are too many: forgetting one costs a duplicate.
// 0 stands for an event without an entry.
func (a *acks) add(id int64) {
	if id == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.ids) >= maxPending {
		return
	}
	if a.ids = append(a.ids, id); len(a.ids) >= ackSize {
		select {
		case a.full <- struct{}{}:
		default:
		}
	}
}

// take returns up to max ids and forgets them.
func (a *acks) take(max int) []int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := min(max, len(a.ids))
	batch := a.ids[:n:n]
	a.ids = a.ids[n:]
	return batch
}

// putBack keeps ids whose acknowledgement has failed, unless there are too many.
func (a *acks) putBack(ids []int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.ids)+len(ids) <= maxPending {
		a.ids = append(ids, a.ids...)
	}
}

// ackLoop removes what was sent, a batch at a time, until ctx ends.
func (r *Relay) ackLoop(ctx context.Context) {
	ticker := time.NewTicker(ackDelay)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return // Run flushes the rest
		case <-ticker.C:
		case <-r.acks.full:
		}
		if err := r.flushAcks(ctx); err != nil && ctx.Err() == nil {
			r.logOutbox(ctx, "outbox not acknowledged", err)
		}
	}
}

// flushAcks removes all that was sent so far. It runs once at a time: after
// ackLoop when the relay stops, or in Flush.
func (r *Relay) flushAcks(ctx context.Context) error {
	for {
		batch := r.acks.take(ackSize)
		if len(batch) == 0 {
			return nil
		}
		err := r.acking.run(ctx, func(ctx context.Context) error { return r.outbox.Ack(ctx, batch...) })
		if err != nil {
			r.acks.putBack(batch)
			return err
		}
	}
}
