package bunstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/murph-chat/murph/consultation"
)

// postgres is the engine for PostgreSQL. Its statements cast each parameter, so that they mean the same whether the
// driver asks the server for the types, guesses them, or writes the values into the text.
type postgres struct{}

var pgReads = reads{
	consultation: statement{"consultation", pgConsultation},
	open:         statement{"open consultations", pgOpen},
	message:      statement{"message", pgMessage},
	history:      statement{"history", pgHistory},
	changes:      statement{"changes", pgChanges},
	inbox:        statement{"inbox", pgInbox},
	requests:     statement{"requests", pgRequests},
	newEpoch:     statement{"new epoch", pgNewEpoch},
}

func (postgres) reads() *reads { return &pgReads }

// farFuture and farPast hold times from outside, such as those of cursors, within what the database can parse.
var (
	farFuture = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	farPast   = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
)

func (postgres) at(t time.Time) any {
	switch {
	case t.After(farFuture):
		t = farFuture
	case t.Before(farPast):
		t = farPast
	}
	return consultation.FormatTime(t)
}

func (postgres) superseded(err error) bool {
	switch sqlState(err) {
	case codeSerializationFailure, codeDeadlockDetected:
		return true
	}
	return false
}

// transact needs no savepoint in the host's transaction: the functions it is given write with their last statement, and
// with that one only.
func (postgres) transact(ctx context.Context, s *Store, fn func(q conn) (keep bool, err error)) error {
	if s.bound {
		_, err := fn(s.write)
		return err
	}
	return transact(ctx, s, fn)
}

// transact runs fn in a transaction of the store's own.
func transact(ctx context.Context, s *Store, fn func(q conn) (keep bool, err error)) (err error) {
	pool, ok := s.write.(interface {
		BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)
	})
	if !ok {
		return failed(fmt.Errorf("cannot begin a transaction on a %T", s.write))
	}
	start := time.Now()
	tx, err := pool.BeginTx(ctx, nil)
	s.observe(ctx, statement{"begin", `BEGIN`}, start, err)
	if err != nil {
		return failed(err)
	}
	// Also when fn panics. After a commit it does nothing.
	defer func() { _ = tx.Rollback() }()
	keep, err := fn(tx)
	if err != nil || !keep {
		return err
	}
	start = time.Now()
	err = tx.Commit()
	s.observe(ctx, statement{"commit", `COMMIT`}, start, err)
	return failed(err)
}
