package bunstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

const (
	// maxAttempts bounds how often a statement is run that others get in the way of. On a database whose transactions are
	// serializable by default, eight callers on one row need more than ten.
	maxAttempts = 40
	// maxPause is the longest wait before the last of them.
	maxPause = 50 * time.Millisecond
)

// errAgain says that another transaction changed the row while the statement waited for its lock, so that the answer is
// not known yet. Running it again gives it.
var errAgain = errors.New("the row has changed meanwhile, every time")

// retry runs fn, which writes, until it has an answer. It does not repeat a
// transaction of the host application that the database has given up: only the
// host application can do that.
func (s *Store) retry(ctx context.Context, fn func(ctx context.Context) error) error {
	try := fn
	if s.bound {
		try = func(ctx context.Context) error { return s.engine.guard(ctx, s, fn) }
	}
	for attempt := 1; ; attempt++ {
		err := try(ctx)
		over := errors.Is(err, errAgain) // the other transaction has ended
		switch {
		case err == nil, !over && !s.engine.superseded(err):
			return err
		case attempt == maxAttempts, s.bound && !over:
			s.stats.givenUp.Add(1)
			return err
		case over && attempt == 1: // there is nothing to wait for
		case !pause(ctx, attempt):
			return err
		}
		s.stats.repeats.Add(1)
	}
}

// pause waits for a random time that grows with the attempts, and reports whether ctx is still alive.
func pause(ctx context.Context, attempt int) bool {
	timer := time.NewTimer(rand.N(maxPause*time.Duration(attempt)/maxAttempts) + time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
