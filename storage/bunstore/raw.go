package bunstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/uptrace/bun"
)

// conn runs statements with bind parameters: *sql.DB, *sql.Tx and *sql.Conn do.
type conn interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// beneath returns the connection under bun's, and whether it is a transaction. bun's own types write the arguments into
// the text of the statement, so each would be a new one to the driver and cost pgx a second round trip.
func beneath(c bun.IConn) (under conn, inTx bool) {
	switch c := c.(type) {
	case *bun.DB:
		return c.DB, false
	case bun.Conn:
		return c.Conn, false
	case bun.Tx:
		return c.Tx, true
	case *bun.Tx:
		return c.Tx, true
	case *sql.DB:
		return c, false
	case *sql.Conn:
		return c, false
	}
	return c, true
}

// statement is a text and the name under which [Options.OnQuery] gets to know it.
type statement struct{ name, text string }

// rows runs st and calls scan for each row. Errors are the driver's, marked by [failed].
func (s *Store) rows(ctx context.Context, q conn, st statement, args []any, scan func(*sql.Rows) error) error {
	start := time.Now()
	err := s.engine.run(ctx, s, q, func(ctx context.Context, q conn) error {
		return readRows(ctx, q, st.text, args, scan)
	})
	s.observe(ctx, st, start, err)
	return failed(err)
}

func readRows(ctx context.Context, q conn, text string, args []any, scan func(*sql.Rows) error) (err error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// row runs st, which gives at most one row, and reports whether it gave one.
func (s *Store) row(ctx context.Context, q conn, st statement, args []any, dest ...any) (found bool, err error) {
	err = s.rows(ctx, q, st, args, func(rows *sql.Rows) error {
		found = true
		return rows.Scan(dest...)
	})
	return found && err == nil, err
}

// exec runs st for its effect.
func (s *Store) exec(ctx context.Context, q conn, st statement, args ...any) error {
	start := time.Now()
	err := s.engine.run(ctx, s, q, func(ctx context.Context, q conn) error {
		_, err := q.ExecContext(ctx, st.text, args...)
		return err
	})
	s.observe(ctx, st, start, err)
	return failed(err)
}

func (s *Store) observe(ctx context.Context, st statement, start time.Time, err error) {
	s.stats.statements.Add(1)
	if err != nil {
		s.stats.failures.Add(1)
		if state := sqlState(err); state == codeNoStatement || state == codeDuplicateStatement {
			s.stats.unprepared.Store(true)
		}
	}
	if s.opts.OnQuery != nil {
		s.opts.OnQuery(ctx, Query{Name: st.name, Text: st.text, Duration: time.Since(start), Err: err})
	}
}
