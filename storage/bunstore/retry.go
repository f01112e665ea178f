package bunstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

const (
	// maxAttempts bounds how often a call runs its statement on Postgres while
	// other transactions are in the way. On a database whose transactions are
	// serializable by default, eight callers on one row need more than ten. On
	// SQLite, Options.BusyTimeout is the bound.
	maxAttempts = 40
	// maxPause is the longest wait between two attempts. The waits grow up to
	// it with the first maxAttempts attempts.
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
	ctx, spent := s.engine.patience(ctx, s)
	for attempt := 1; ; attempt++ {
		err := try(ctx)
		over := errors.Is(err, errAgain) // the other transaction has ended
		if err == nil || !over && !s.engine.superseded(err) {
			return err
		}
		last := spent(attempt) || s.bound && !over
		if !last && (!over || attempt > 1) {
			if !pause(ctx, attempt) {
				return err
			}
			last = spent(attempt) // the pause takes time too
		}
		if last {
			s.stats.givenUp.Add(1)
			return err
		}
		s.stats.repeats.Add(1)
	}
}

// pause waits for a random time that grows with the attempts, and reports whether ctx is still alive.
func pause(ctx context.Context, attempt int) bool {
	timer := time.NewTimer(rand.N(maxPause*time.Duration(min(attempt, maxAttempts))/maxAttempts) + time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
