package bunstore

import (
	"context"
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

// transact puts a savepoint around what it does in the host's transaction, because an error of SQLite does not end that
// one.
func (sqlite) transact(ctx context.Context, s *Store, fn func(q conn) (keep bool, err error)) (err error) {
	if !s.bound {
		return transact(ctx, s, fn)
	}
	if err := s.exec(ctx, s.write, statement{"savepoint", `SAVEPOINT murph`}); err != nil {
		return err
	}
	keep := false
	defer func() {
		// The end of ctx must not leave half of it behind.
		ctx := context.WithoutCancel(ctx)
		if !keep || err != nil {
			if rerr := s.exec(ctx, s.write, statement{"rollback to savepoint", `ROLLBACK TO murph`}); err == nil {
				err = rerr
			}
		}
		if rerr := s.exec(ctx, s.write, statement{"release savepoint", `RELEASE murph`}); err == nil {
			err = rerr
		}
	}()
	keep, err = fn(s.write)
	return err
}
