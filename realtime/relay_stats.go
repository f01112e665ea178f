package realtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// RelayStats is what a [Relay] has done since it was made, and what it has before it.
type RelayStats struct {
	Attempts  int64 // calls of the broadcaster for an event
	Published int64 // events that it took
	Left      int64 // hand-offs that were left to be claimed
	Parked    int64 // events set aside
	Collapsed int64 // entries that a resync stood in for
	Purged    int64 // entries removed for their age
	// Queued and QueuedBytes are what waits on the fast way.
	Queued      int
	QueuedBytes int
	// Down says that the transport is taken for down: nothing but a probe goes out.
	Down bool
	// HandOffs and HandOffTime give the mean time from the hand-off to the broadcaster's answer.
	HandOffs    int64
	HandOffTime time.Duration
	// Backlog is the state of the outbox.
	Backlog Backlog
}

type relayCounters struct {
	attempts, published, left, parked, collapsed, purged atomic.Int64
	handOffs, handOffNanos                               atomic.Int64
}

func (c *relayCounters) latency(d time.Duration) {
	c.handOffs.Add(1)
	c.handOffNanos.Add(int64(d))
}

// Check returns nil if events go out. It returns [ErrUnavailable] while the
// transport is taken for down, and another error if [Relay.Run] does not run or
// the outbox has not answered the last claim or acknowledgement in time, or with
// an error. It reports what is known and makes no call.
func (r *Relay) Check(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("realtime: check the relay: %w", ctx.Err())
	case !r.breaker.closed():
		return ErrUnavailable
	case !r.running.Load():
		return errors.New("realtime: the relay does not run")
	}
	return cmp.Or(r.claims.check(), r.acking.check())
}

// Stats returns the counters, and asks the store for the backlog.
func (r *Relay) Stats(ctx context.Context) (RelayStats, error) {
	backlog, err := r.outbox.Backlog(ctx)
	queued, bytes := r.lanes.size()
	return RelayStats{
		Attempts:    r.stats.attempts.Load(),
		Published:   r.stats.published.Load(),
		Left:        r.stats.left.Load(),
		Parked:      r.stats.parked.Load(),
		Collapsed:   r.stats.collapsed.Load(),
		Purged:      r.stats.purged.Load(),
		Queued:      queued,
		QueuedBytes: bytes,
		Down:        !r.breaker.closed(),
		HandOffs:    r.stats.handOffs.Load(),
		HandOffTime: time.Duration(r.stats.handOffNanos.Load()),
		Backlog:     backlog,
	}, err
}
