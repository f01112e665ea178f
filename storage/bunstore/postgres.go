package bunstore

import (
	"context"
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

func (postgres) patience(ctx context.Context, _ *Store) (context.Context, func(attempt int) bool) {
	return ctx, func(attempt int) bool { return attempt >= maxAttempts }
}

func (postgres) run(ctx context.Context, _ *Store, q conn, statement func(ctx context.Context, q conn) error) error {
	return statement(ctx, q)
}

// guard needs no savepoint: a call writes with its last statement only, and an
// error of the database ends the host application's transaction in any case.
// The server refuses every further statement in it.
func (postgres) guard(ctx context.Context, _ *Store, fn func(ctx context.Context) error) error {
	return fn(ctx)
}

func (postgres) transact(ctx context.Context, s *Store, fn func(q conn) (keep bool, err error)) error {
	return s.inTx(ctx, fn)
}
