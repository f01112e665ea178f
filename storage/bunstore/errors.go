package bunstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
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

// The conditions of Postgres that the store reacts to (PostgreSQL manual, appendix A).
const (
	codeUniqueViolation      = "23505"
	codeSerializationFailure = "40001"
	codeDeadlockDetected     = "40P01"
)

// sqlState returns the SQLSTATE of a Postgres error, or "". It knows pgx and pgdriver by their methods, so that this
// package imports neither.
func sqlState(err error) string {
	var pgx interface{ SQLState() string }
	if errors.As(err, &pgx) {
		return pgx.SQLState()
	}
	var pgdriver interface{ Field(k byte) string }
	if errors.As(err, &pgdriver) {
		return pgdriver.Field('C')
	}
	return ""
}

// sqliteBusy is the primary result code of a lock that somebody else holds (sqlite.org, "Result Codes", SQLITE_BUSY).
const sqliteBusy = 5

// isSQLiteBusy knows the error by the method of modernc.org/sqlite, and by its text in other drivers.
func isSQLiteBusy(err error) bool {
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		return coded.Code()&0xff == sqliteBusy
	}
	return strings.Contains(err.Error(), "database is locked")
}
