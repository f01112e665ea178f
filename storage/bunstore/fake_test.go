package bunstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/murph-chat/murph/storage/bunstore"
)

// fake is a database that answers every statement with the next error of its script, and with no rows when that has run
// out. It stands for failures that a real one gives only by chance. Transactions always begin and end well.
type fake struct {
	mu     sync.Mutex
	script []error
	ran    []string // the statements, and BEGIN, COMMIT and ROLLBACK
}

func (f *fake) run(text string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ran = append(f.ran, text)
	if len(f.script) == 0 || framing(text) {
		return nil
	}
	err := f.script[0]
	f.script = f.script[1:]
	return err
}

// framing reports whether text begins or ends a transaction.
func framing(text string) bool { return slices.Contains([]string{"BEGIN", "COMMIT", "ROLLBACK"}, text) }

// count is how many statements were run, without those that begin and end transactions.
func (f *fake) count() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, text := range f.ran {
		if !framing(text) {
			n++
		}
	}
	return n
}

// open makes a store on the fake, which is gone when tb ends.
func (f *fake) open(tb testing.TB, d schema.Dialect, opts *bunstore.Options) (*bunstore.Store, *bun.DB) {
	tb.Helper()
	db := bun.NewDB(sql.OpenDB(f), d)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	s, err := bunstore.New(db, opts)
	require.NoError(tb, err)
	return s, db
}

func (f *fake) Connect(context.Context) (driver.Conn, error) { return fakeConn{f}, nil }
func (f *fake) Driver() driver.Driver                        { return nil }

type fakeConn struct{ *fake }

func (c fakeConn) Prepare(string) (driver.Stmt, error) { return nil, driver.ErrSkip }
func (c fakeConn) Close() error                        { return nil }
func (c fakeConn) Begin() (driver.Tx, error)           { return c, c.run("BEGIN") }
func (c fakeConn) Commit() error                       { return c.run("COMMIT") }
func (c fakeConn) Rollback() error                     { return c.run("ROLLBACK") }

func (c fakeConn) QueryContext(_ context.Context, text string, _ []driver.NamedValue) (driver.Rows, error) {
	return noRows{}, c.run(text)
}

func (c fakeConn) ExecContext(_ context.Context, text string, _ []driver.NamedValue) (driver.Result, error) {
	return driver.ResultNoRows, c.run(text)
}

type noRows struct{}

func (noRows) Columns() []string         { return nil }
func (noRows) Close() error              { return nil }
func (noRows) Next([]driver.Value) error { return io.EOF }

// pgxError has the method by which the errors of pgx are known, pgdriverError that of pgdriver, sqliteError that of
// modernc.org/sqlite.
type (
	pgxError      string
	pgdriverError string
	sqliteError   int
)

func (e pgxError) Error() string      { return "pgx " + string(e) }
func (e pgxError) SQLState() string   { return string(e) }
func (e pgdriverError) Error() string { return "pgdriver " + string(e) }

func (e pgdriverError) Field(k byte) string {
	if k == 'C' {
		return string(e)
	}
	return ""
}

func (e sqliteError) Error() string { return "sqlite" }
func (e sqliteError) Code() int     { return int(e) }
