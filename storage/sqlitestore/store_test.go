package sqlitestore_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/sqlitestore"
	"github.com/murph-chat/murph/storage/storagetest"
)

// open makes a store on a new file.
func open(tb testing.TB, opts *sqlitestore.Options) *sqlitestore.Store {
	tb.Helper()
	return openAt(tb, filepath.Join(tb.TempDir(), "murph.db"), opts)
}

func openAt(tb testing.TB, path string, opts *sqlitestore.Options) *sqlitestore.Store {
	tb.Helper()
	s, err := sqlitestore.Open(tb.Context(), path, opts)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

func harness() storagetest.Harness {
	return storagetest.Harness{
		New:  func(tb testing.TB) storagetest.Store { return open(tb, nil) },
		InTx: inTx,
	}
}

// inTx does what a host does: begin, bind the store, commit or roll back.
func inTx(tb testing.TB, s storagetest.Store, fn func(tx storagetest.Store) error) error {
	store := s.(*sqlitestore.Store)
	tx, err := store.DB().BeginTx(tb.Context(), nil)
	if err != nil {
		return err
	}
	return finish(store.Store, tx, fn)
}

func finish(store *bunstore.Store, tx bun.Tx, fn func(tx storagetest.Store) error) error {
	if err := fn(store.With(tx)); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func TestConformance(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, harness())
}

func BenchmarkStore(b *testing.B) { storagetest.Benchmark(b, harness()) }
