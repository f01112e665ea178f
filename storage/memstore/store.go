package memstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

var (
	_ consultation.Storage = (*Store)(nil)
	_ chat.Storage         = (*Store)(nil)
	_ realtime.Outbox      = (*Store)(nil)
)

// errTxDone tells a caller that has kept a store beyond the transaction that it was bound to.
var errTxDone = errors.New("memstore: the transaction has ended")

// Store implements [consultation.Storage], [chat.Storage] and [realtime.Outbox] over the same data. Make one with [New].
// It is safe for concurrent use; the one that [Store.InTx] hands out is not.
type Store struct {
	db *database
	tx *transaction // nil unless the store is bound to a transaction
}

// database is what a store and the stores bound to its transactions have in common.
type database struct {
	// writer holds a token while nobody writes. It is a channel and no mutex so that waiting for it ends with a context.
	writer chan struct{}

	// mu guards the committed state. It is locked for as long as a call computes, never across one.
	mu        sync.RWMutex
	committed *state

	// entries counts the ids of outbox entries. Those of a transaction that was rolled back are not used again.
	entries atomic.Int64
}

// transaction is the private state of one InTx.
type transaction struct {
	state *state
	done  bool
}

// New makes an empty store.
func New() *Store {
	db := &database{writer: make(chan struct{}, 1), committed: newState(nil)}
	db.committed.epoch = rand.Text()
	db.writer <- struct{}{}
	return &Store{db: db}
}

// Check returns nil, or an error once ctx has ended: there is nothing in memory that could be wrong.
func (s *Store) Check(ctx context.Context) error { return alive(ctx) }

// NewEpoch implements [chat.Storage].
func (s *Store) NewEpoch(ctx context.Context) error {
	return s.update(ctx, func(st *state) error {
		st.epoch = rand.Text()
		return nil
	})
}

// InTx runs fn in a transaction: what fn does through tx becomes visible to others, all at once, if and only if InTx
// returns nil. An error or a panic of fn, and the end of ctx, roll everything back; the error is returned.
//
// The transaction is the only writer while it lasts. Within fn, a write through any other store than tx waits for it, and
// so has to end with its own context. tx is for the goroutine of fn and useless afterwards.
func (s *Store) InTx(ctx context.Context, fn func(tx *Store) error) error {
	if s.tx != nil {
		return errors.New("memstore: a transaction cannot start another one")
	}
	if err := s.db.acquire(ctx); err != nil {
		return err
	}
	defer s.db.release()
	tx := &transaction{state: newState(s.db.committed)}
	defer func() { tx.done = true }()
	if err := fn(&Store{db: s.db, tx: tx}); err != nil {
		return err
	}
	if err := alive(ctx); err != nil {
		return err
	}
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	tx.state.commit()
	return nil
}

// view runs fn on a state that does not change meanwhile.
func (s *Store) view(ctx context.Context, fn func(st *state) error) error {
	if err := alive(ctx); err != nil {
		return err
	}
	if s.tx != nil {
		return s.tx.run(fn)
	}
	s.db.mu.RLock()
	defer s.db.mu.RUnlock()
	return fn(s.db.committed)
}

// update runs fn as the only writer. fn must not change the state when it returns an error.
func (s *Store) update(ctx context.Context, fn func(st *state) error) error {
	if s.tx != nil {
		if err := alive(ctx); err != nil {
			return err
		}
		return s.tx.run(fn)
	}
	if err := s.db.acquire(ctx); err != nil {
		return err
	}
	defer s.db.release()
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	return fn(s.db.committed)
}

func (tx *transaction) run(fn func(st *state) error) error {
	if tx.done {
		return errTxDone
	}
	return fn(tx.state)
}

func (db *database) acquire(ctx context.Context) error {
	if err := alive(ctx); err != nil {
		return err
	}
	select {
	case <-db.writer:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("memstore: wait for the writer before: %w", ctx.Err())
	}
}

func (db *database) release() { db.writer <- struct{}{} }

// alive returns an error once ctx has ended.
func alive(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: %w", err)
	}
	return nil
}

// now is the store's clock.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
