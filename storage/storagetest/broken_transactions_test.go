package storagetest_test

import (
	"context"
	"errors"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/storage/memstore"
	"github.com/murph-chat/murph/storage/storagetest"
)

func brokenTransactions() []broken {
	return []broken{{
		name:  "tx-commits-what-failed",
		cases: []string{"tx/rollback", "order/transactions"},
		inTx: func(ctx context.Context, s *memstore.Store, fn func(tx storagetest.Store) error) error {
			var failed error
			err := s.InTx(ctx, func(tx *memstore.Store) error {
				failed = fn(tx)
				return nil
			})
			return errors.Join(failed, err)
		},
	}, {
		name:  "tx-rolls-everything-back",
		cases: []string{"tx/commit", "tx/repeats"},
		inTx: func(ctx context.Context, s *memstore.Store, fn func(tx storagetest.Store) error) error {
			never := errors.New("never")
			err := s.InTx(ctx, func(tx *memstore.Store) error {
				if err := fn(tx); err != nil {
					return err
				}
				return never
			})
			if errors.Is(err, never) {
				return nil
			}
			return err
		},
	}, {
		name:  "tx-is-none",
		cases: []string{"tx/isolation", "tx/rollback", "context/waiting"},
		inTx:  func(_ context.Context, s *memstore.Store, fn func(tx storagetest.Store) error) error { return fn(s) },
	}, {
		name:  "tx-is-over-after-a-refusal",
		cases: []string{"tx/refusals"},
		inTx: func(ctx context.Context, s *memstore.Store, fn func(tx storagetest.Store) error) error {
			return s.InTx(ctx, func(tx *memstore.Store) error {
				var aborted error
				return fn(&hooked{Store: tx, append: func(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
					if aborted != nil {
						return chat.Appended{}, errors.New("current transaction is aborted")
					}
					var done chat.Appended
					done, aborted = tx.Append(ctx, p)
					return done, aborted
				}})
			})
		},
	}, {
		name:  "tx-gives-up-with-a-plain-error",
		cases: []string{"tx/retry"},
		inTx: func(ctx context.Context, s *memstore.Store, fn func(tx storagetest.Store) error) error {
			return s.InTx(ctx, func(tx *memstore.Store) error {
				n := 0
				return fn(&hooked{Store: tx, append: func(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
					if n++; n == 2 {
						return chat.Appended{}, errors.New("deadlock detected")
					}
					return tx.Append(ctx, p)
				}})
			})
		},
	}, {
		name:  "context-is-ignored",
		cases: []string{"context/ended", "context/waiting"},
		wrap: appends(func(ctx context.Context, s storagetest.Store, p chat.AppendParams) (chat.Appended, error) {
			done, err := s.Append(ctx, p)
			if ctx.Err() != nil {
				return done, nil
			}
			return done, err
		}),
	}, {
		name:  "context-is-not-named",
		cases: []string{"context/ended"},
		wrap: appends(func(ctx context.Context, s storagetest.Store, p chat.AppendParams) (chat.Appended, error) {
			done, err := s.Append(ctx, p)
			if err != nil {
				err = errors.New(err.Error())
			}
			return done, err
		}),
	}}
}
