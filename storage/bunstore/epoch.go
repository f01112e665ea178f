package bunstore

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
)

// NewEpoch implements [chat.Storage]. Call it after restoring a backup, once, before clients can connect. The statement
//
//	UPDATE murph_epoch SET epoch = '<a word that it never was>'
//
// does the same. The store replaces the epoch by itself in two cases, both on Postgres only. [Store.Migrate] notices a
// dump that was loaded, a recovery to a point in time, and a promoted replica. A process that keeps running notices a
// database whose transaction counter is lower than before, at the next read of a consultation. What remains is a copy of
// the files, such as a snapshot of the disk or a copied SQLite file, that is put back while no process runs.
func (s *Store) NewEpoch(ctx context.Context) error {
	err := s.retry(ctx, func(ctx context.Context) error { return s.replaceEpoch(ctx, "") })
	return s.wrap(ctx, "replace epoch", err)
}

// replaceEpoch replaces the epoch if it is old, or whatever it is if old is "".
func (s *Store) replaceEpoch(ctx context.Context, old string) error {
	return s.exec(ctx, s.write, s.engine.reads().newEpoch, rand.Text(), old)
}

// horizon remembers how far a database had come.
type horizon struct {
	mu    sync.Mutex
	epoch string
	xid   int64 // the lowest transaction number that was not given yet
}

func (h *horizon) get() (epoch string, xid int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.epoch, h.xid
}

func (h *horizon) raise(epoch string, xid int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if epoch == h.epoch {
		xid = max(xid, h.xid)
	}
	h.epoch, h.xid = epoch, xid
}

// readLog runs a statement that gives the rows of a log. If the database turns out to have been put back since an earlier
// read, it replaces the epoch and reads again.
func (s *Store) readLog(ctx context.Context, l log, st statement, args []any) (log, error) {
	epoch, xid := s.horizon.get()
	got, err := s.readLogOnce(ctx, l, st, args)
	if err != nil || s.bound {
		return got, err
	}
	if got.epoch == epoch && got.xid < xid {
		s.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "the database was put back to an earlier state, clients start afresh",
			slog.Int64("transactions_lost", xid-got.xid))
		if err := s.retry(ctx, func(ctx context.Context) error { return s.replaceEpoch(ctx, epoch) }); err != nil {
			return log{}, err
		}
		if got, err = s.readLogOnce(ctx, l, st, args); err != nil {
			return log{}, err
		}
	}
	s.horizon.raise(got.epoch, got.xid)
	return got, nil
}

func (s *Store) readLogOnce(ctx context.Context, l log, st statement, args []any) (log, error) {
	err := s.rows(ctx, s.read, st, args, l.scan)
	return l, err
}
