package realtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// send publishes the events, together where the broadcaster can, and returns an
// error, or nil, for each. After a batch it sends alone each event that was
// refused for good or is too large: the batch does not say which one is to
// blame.
func (r *Relay) send(ctx context.Context, evs []Event, probe bool) []error {
	errs := make([]error, len(evs))
	alone := func(error) bool { return true }
	if len(evs) > 1 && r.batch != nil {
		errs = r.attempt(ctx, len(evs), probe, func(ctx context.Context) []error { return r.batch.BroadcastBatch(ctx, evs) })
		alone = func(err error) bool { return isPermanent(err) || errors.Is(err, ErrTooLarge) }
	}
	for i, ev := range evs {
		if alone(errs[i]) {
			errs[i] = r.sendOne(ctx, ev, probe)
		}
	}
	return errs
}

// sendOne publishes ev, in its thin form if it proves too large.
func (r *Relay) sendOne(ctx context.Context, ev Event, probe bool) error {
	err := r.attemptOne(ctx, ev, probe)
	if !errors.Is(err, ErrTooLarge) || ev.Thin == nil {
		return err
	}
	ev.Data, ev.Thin = ev.Thin, nil
	return r.attempt(ctx, 1, probe, func(ctx context.Context) []error {
		err := r.to.Broadcast(ctx, ev)
		if errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrInvalidEvent) {
			// Some numbers cannot be too large: it is the quota that is used up.
			err = &RefusedError{Err: err}
		}
		return []error{err}
	})[0]
}

func (r *Relay) attemptOne(ctx context.Context, ev Event, probe bool) error {
	return r.attempt(ctx, 1, probe, func(ctx context.Context) []error { return []error{r.to.Broadcast(ctx, ev)} })[0]
}

// attempt makes one call of the broadcaster for n events, under the timeout and
// at the pace that it bears, and tells the breaker how it went. It returns one
// error for each event. While the breaker is open, a call that is no probe is
// not made: its error is ErrUnavailable.
func (r *Relay) attempt(ctx context.Context, n int, probe bool, do func(context.Context) []error) (errs []error) {
	r.pace.acquire()
	epoch, ok := r.breaker.begin(probe)
	if !ok {
		r.pace.release(false, false)
		return slices.Repeat([]error{ErrUnavailable}, n)
	}
	r.stats.attempts.Add(1)
	call, cancel := context.WithTimeout(ctx, r.opts.PublishTimeout)
	begin := time.Now()
	err := guard(func() error {
		errs = do(call)
		return nil
	})
	cancel()
	if err == nil && len(errs) != n {
		err = fmt.Errorf("realtime: the broadcaster returned %d errors for %d events", len(errs), n)
	}
	if err != nil {
		errs = slices.Repeat([]error{err}, n)
	}
	o := outcomeOf(errs)
	r.stats.published.Add(int64(o.sent))
	switch {
	case o.refused != nil:
		r.breaker.refuse(epoch, o.refused.ProbeAfter)
	case o.limited != nil:
		r.breaker.limited(epoch, o.limited.RetryAfter)
	case o.sent > 0:
		r.breaker.succeeded(epoch)
	case ctx.Err() != nil: // we gave up, not the transport
	case o.failed:
		r.breaker.failed(epoch)
	}
	r.pace.release(o.sent > 0, o.limited != nil)
	if r.opts.OnAttempt != nil {
		r.opts.OnAttempt(Attempt{Events: n, Duration: time.Since(begin), Err: o.first})
	}
	return errs
}

// outcome sums up the errors of one call.
type outcome struct {
	sent    int   // events that the transport took
	first   error // of the events that it did not take
	refused *RefusedError
	limited *RateLimitError
	failed  bool // for a reason that is neither the event's nor a refusal
}

func outcomeOf(errs []error) (o outcome) {
	for _, err := range errs {
		if err == nil {
			o.sent++
			continue
		}
		if o.first == nil {
			o.first = err
		}
		var refused *RefusedError
		var limited *RateLimitError
		switch {
		case errors.As(err, &refused):
			if o.refused == nil || refused.ProbeAfter > o.refused.ProbeAfter {
				o.refused = refused
			}
		case errors.As(err, &limited):
			if o.limited == nil || limited.RetryAfter > o.limited.RetryAfter {
				o.limited = limited
			}
		case isPermanent(err), errors.Is(err, ErrTooLarge):
		default:
			o.failed = true
		}
	}
	return o
}

// isPermanent reports whether err would come again however often the event is sent.
func isPermanent(err error) bool {
	var permanent *PermanentError
	return errors.As(err, &permanent) || errors.Is(err, ErrInvalidEvent)
}
