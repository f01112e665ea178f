package bunstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/murph-chat/murph/consultation"
)

// failure marks an error of the database, as opposed to an answer of the domain.
type failure struct{ err error }

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func failed(err error) error {
	if err == nil {
		return nil
	}
	return &failure{err}
}

// errTxLost says that the database has rolled back a transaction of the host
// application as a whole.
var errTxLost = errors.New("the database has rolled back the transaction")

// wrap gives an error of the database its context, once, at the edge of the
// package, and the sentinels that callers branch on. Answers of the domain pass
// as they are.
func (s *Store) wrap(ctx context.Context, op string, err error) error {
	var f *failure
	if !errors.As(err, &f) {
		return err
	}
	err = f.err
	if ended := ended(ctx); ended != nil {
		if !errors.Is(err, ended) {
			err = fmt.Errorf("%w: %w", ended, err)
		}
	} else if s.bound && s.engine.superseded(f.err) {
		err = fmt.Errorf("%w: %w", consultation.ErrRetryTx, err)
	} else if reason := s.engine.unavailable(f.err); reason != "" {
		if reason == reasonUnprepared {
			err = fmt.Errorf("%w (%s)", err, pooling)
		}
		err = consultation.NewUnavailableError(reason, err)
	}
	if errors.Is(err, errTxLost) && !errors.Is(err, consultation.ErrRetryTx) {
		err = fmt.Errorf("%w: %w", consultation.ErrRetryTx, err)
	}
	return fmt.Errorf("bunstore: %s: %w", op, err)
}

// ended returns ctx.Err(), and what it will be in a moment where a driver has noticed the deadline before the context's
// own timer has.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// errNoDetails returns the error for a participant whose details are missing,
// which only a change of the tables by hand can cause.
func errNoDetails(id consultation.ID, user consultation.UserID) error {
	return failed(fmt.Errorf("participant %q of consultation %q has no row in murph_participants: insert it", user, id))
}
