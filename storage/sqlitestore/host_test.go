package sqlitestore_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/storagetest"
)

// hosted is a store on a database that a host has opened in its own way.
type hosted struct {
	*bunstore.Store
	db *bun.DB
}

// TestConformanceOnAHostsDatabase runs the suite over several connections that all read and write, and whose transactions
// begin without the write lock.
func TestConformanceOnAHostsDatabase(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, storagetest.Harness{
		New: func(tb testing.TB) storagetest.Store {
			path := filepath.Join(tb.TempDir(), "host.db")
			db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(2000)&_pragma=foreign_keys(1)")
			require.NoError(tb, err)
			tb.Cleanup(func() { require.NoError(tb, db.Close()) })
			db.SetMaxOpenConns(6)
			h := &hosted{db: bun.NewDB(db, sqlitedialect.New())}
			h.Store, err = bunstore.New(h.db, nil)
			require.NoError(tb, err)
			require.NoError(tb, h.Migrate(tb.Context()))
			return h
		},
		InTx: func(tb testing.TB, s storagetest.Store, fn func(tx storagetest.Store) error) error {
			h := s.(*hosted)
			tx, err := h.db.BeginTx(tb.Context(), nil)
			if err != nil {
				return err
			}
			return finish(h.Store, tx, fn)
		},
	})
}
