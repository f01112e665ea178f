package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// sqlite is the engine for SQLite. Its clock is the process's.
//
// Each transaction begins with a statement that writes, so that it has the write lock before it reads anything, also
// where the driver's transactions begin without one: a transaction that reads first and writes later fails with
// SQLITE_BUSY as soon as somebody else has written in between.
type sqlite struct{}

var sqliteReads = reads{
	consultation: statement{"consultation", sqliteConsultation},
	open:         statement{"open consultations", sqliteOpen},
	message:      statement{"message", sqliteMessage},
	history:      statement{"history", sqliteHistory},
	changes:      statement{"changes", sqliteChanges},
	inbox:        statement{"inbox", sqliteInbox},
	requests:     statement{"requests", sqliteRequests},
	newEpoch:     statement{"new epoch", sqliteNewEpoch},
}

func (sqlite) reads() *reads { return &sqliteReads }

// now is the store's clock, in the precision that is stored.
func (sqlite) now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func (sqlite) at(t time.Time) any { return t.UnixMicro() }

func (sqlite) superseded(err error) bool { return isSQLiteBusy(err) }

// run gives the statement a connection, and does not let the driver interrupt
// it in a transaction of the host application: SQLite answers the interruption
// of a write with a rollback of the whole transaction, and the host
// application's next statement would commit alone.
func (sqlite) run(ctx context.Context, s *Store, q conn, statement func(ctx context.Context, q conn) error) error {
	if s.bound {
		if err := ctx.Err(); err != nil {
			return err
		}
		return statement(context.WithoutCancel(ctx), q)
	}
	pool, ok := q.(*sql.DB)
	if !ok {
		return statement(ctx, q)
	}
	c, err := s.take(ctx, pool)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // it goes back to the pool
	return statement(ctx, c)
}

// guard puts a savepoint around fn, because most errors of SQLite do not end
// the transaction.
func (sqlite) guard(ctx context.Context, s *Store, fn func(ctx context.Context) error) (err error) {
	if err := s.exec(ctx, s.write, statement{"savepoint", `SAVEPOINT murph`}); err != nil {
		return err
	}
	done := false // stays false if fn panics
	defer func() {
		ctx := context.WithoutCancel(ctx)
		var gone error
		if !done || err != nil {
			gone = s.exec(ctx, s.write, statement{"rollback to savepoint", `ROLLBACK TO murph`})
		}
		if gone == nil {
			gone = s.exec(ctx, s.write, statement{"release savepoint", `RELEASE murph`})
		}
		if gone != nil {
			err = s.lose(err, gone)
		}
	}()
	err = fn(ctx)
	done = true
	return err
}

// lose ends the host application's transaction, which SQLite has rolled back by
// itself, so that no further statement of it can run and commit alone. cause is
// the error that came with the rollback, or nil.
func (s *Store) lose(cause, gone error) error {
	if tx, ok := s.write.(interface{ Rollback() error }); ok {
		_ = tx.Rollback() // it only tells that SQLite has no transaction
	}
	var f *failure
	if !errors.As(cause, &f) {
		cause = gone
	}
	return failed(fmt.Errorf("%w: %w", errTxLost, cause))
}

func (sqlite) transact(ctx context.Context, s *Store, fn func(q conn) (keep bool, err error)) error {
	return s.inTx(ctx, fn)
}
