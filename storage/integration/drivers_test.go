package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/integration/pgtest"
	"github.com/murph-chat/murph/storage/storagetest"
)

// driver is one way of talking to Postgres.
type driver struct {
	name string
	open func(tb testing.TB, dsn string) *sql.DB
}

// drivers are the ways that hosts use: pgx prepares each text once (its default), or sends text and arguments in one
// message of the extended protocol, or one text with the arguments in it; pgdriver always does the last.
var drivers = []driver{
	{"pgx-cache", pgx("cache_statement")},
	{"pgx-exec", pgx("exec")},
	{"pgx-simple", pgx("simple_protocol")},
	{"pgdriver", func(_ testing.TB, dsn string) *sql.DB {
		return sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(dsn)))
	}},
}

// serializable is the strictest isolation as the database's default. Then the database gives up transactions that wait for
// one another elsewhere.
var serializable = driver{"pgx-serializable", func(tb testing.TB, dsn string) *sql.DB {
	return pgx("cache_statement")(tb, with(tb, dsn, "default_transaction_isolation", "serializable"))
}}

// pgx opens pgx in a mode (pgx, ParseConfig, "default_query_exec_mode").
func pgx(mode string) func(tb testing.TB, dsn string) *sql.DB {
	return func(tb testing.TB, dsn string) *sql.DB {
		tb.Helper()
		db, err := sql.Open("pgx", with(tb, dsn, "default_query_exec_mode", mode))
		require.NoError(tb, err)
		return db
	}
}

// with adds a parameter to an address.
func with(tb testing.TB, dsn, key, value string) string {
	tb.Helper()
	u, err := url.Parse(dsn)
	require.NoError(tb, err)
	q := u.Query()
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// each runs test over every driver, and over others besides.
func each(t *testing.T, test func(t *testing.T, d driver), others ...driver) {
	t.Helper()
	for _, d := range slices.Concat(drivers, others) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			test(t, d)
		})
	}
}

// store is a store with its database.
type store struct {
	*bunstore.Store
	db *bun.DB
}

// openStore opens a migrated store over the driver, with at most so many connections.
func (d driver) openStore(tb testing.TB, dsn string, conns int) *store {
	tb.Helper()
	db := d.open(tb, dsn)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	s := &store{db: bun.NewDB(db, pgdialect.New())}
	var err error
	s.Store, err = bunstore.New(s.db, nil)
	require.NoError(tb, err)
	require.NoError(tb, s.Migrate(tb.Context()))
	return s
}

// maxConns suffices for the suite, whose cases hold a transaction while others write.
const maxConns = 8

func (d driver) harness() storagetest.Harness {
	return storagetest.Harness{
		New: func(tb testing.TB) storagetest.Store { return d.openStore(tb, pgtest.Schema(tb), maxConns) },
		InTx: func(tb testing.TB, s storagetest.Store, fn func(tx storagetest.Store) error) error {
			return s.(*store).inTx(tb.Context(), fn)
		},
	}
}

// inTx does what a host does: begin, bind the store, commit or roll back. It says so when the commit has to be tried again.
func (s *store) inTx(ctx context.Context, fn func(tx storagetest.Store) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(s.With(tx)); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	err = tx.Commit()
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "40001" {
		return errors.Join(consultation.ErrRetryTx, err)
	}
	return err
}
