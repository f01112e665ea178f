package bunstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// inTx runs fn in a transaction of the store's own, or in that of the host
// application if s is bound to one.
func (s *Store) inTx(ctx context.Context, fn func(q conn) (keep bool, err error)) error {
	if s.bound {
		_, err := fn(s.write)
		return err
	}
	start := time.Now()
	var tx *sql.Tx
	began := false
	err := s.engine.run(ctx, s, s.write, func(ctx context.Context, q conn) (err error) {
		pool, ok := q.(interface {
			BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)
		})
		if !ok {
			return fmt.Errorf("cannot begin a transaction on a %T", q)
		}
		tx, err = pool.BeginTx(ctx, nil)
		s.observe(ctx, statement{"begin", `BEGIN`}, start, err)
		if err != nil {
			return err
		}
		began = true
		return s.finish(ctx, tx, fn)
	})
	if err != nil && !began {
		return failed(err)
	}
	return err
}

// finish runs fn in tx and commits it if keep is true. Otherwise, and if fn
// panics, it rolls tx back.
func (s *Store) finish(ctx context.Context, tx *sql.Tx, fn func(q conn) (keep bool, err error)) error {
	// The error of a rollback tells nothing: the database or the pool has ended
	// the transaction already, or the connection is gone.
	defer func() { _ = tx.Rollback() }()
	keep, err := fn(tx)
	if err != nil || !keep {
		return err
	}
	start := time.Now()
	err = tx.Commit()
	s.observe(ctx, statement{"commit", `COMMIT`}, start, err)
	return failed(err)
}
