package pgtest_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/storage/integration/pgtest"
)

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	one, two := open(t, pgtest.Database(t)), open(t, pgtest.Database(t))
	_, err := one.ExecContext(t.Context(), `CREATE TABLE only_here (n int)`)
	require.NoError(t, err)
	_, err = two.ExecContext(t.Context(), `SELECT * FROM only_here`)
	require.ErrorContains(t, err, "only_here")
}

func TestSchemasAreApart(t *testing.T) {
	t.Parallel()
	one, two := open(t, pgtest.Schema(t)), open(t, pgtest.Schema(t))
	_, err := one.ExecContext(t.Context(), `CREATE TABLE only_here (n int)`)
	require.NoError(t, err)
	_, err = two.ExecContext(t.Context(), `SELECT * FROM only_here`)
	require.ErrorContains(t, err, "only_here")
}

func TestDatabaseIsDropped(t *testing.T) {
	t.Parallel()
	var gone string
	t.Run("use", func(t *testing.T) {
		gone = pgtest.Database(t)
		require.NoError(t, open(t, gone).PingContext(t.Context()))
	})
	db := open(t, gone)
	require.ErrorContains(t, db.PingContext(context.Background()), "does not exist")
}

func TestRestartKeepsWhatWasCommitted(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "work_mem=5MB")
	dsn := s.Database(t)
	db := open(t, dsn)
	_, err := db.ExecContext(t.Context(), `CREATE TABLE kept AS SELECT 7 AS n`)
	require.NoError(t, err)
	s.Restart(t)
	var n int
	var setting string
	require.NoError(t, open(t, dsn).QueryRowContext(t.Context(), `SELECT n, current_setting('work_mem') FROM kept`).Scan(&n, &setting))
	require.Equal(t, 7, n)
	require.Equal(t, "5MB", setting)
}
