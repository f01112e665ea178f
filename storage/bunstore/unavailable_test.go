package bunstore_test

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/schema"

	"github.com/murph-chat/murph/consultation"
)

// TestUnavailable looks at the errors of databases that cannot work at the
// moment, and at some that are faults instead.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	_, refused := net.Dial("tcp", "127.0.0.1:1")
	require.Error(t, refused)
	for _, c := range []struct {
		dialect schema.Dialect
		err     error
		reason  string
	}{
		{pgdialect.New(), pgxError("57P01"), "server shutdown"},
		{pgdialect.New(), pgdriverError("57P03"), "server shutdown"},
		{pgdialect.New(), pgxError("53300"), "too many connections"},
		{pgdialect.New(), pgxError("53100"), "disk full"},
		{pgdialect.New(), pgxError("53200"), "out of resources"},
		{pgdialect.New(), pgxError("25006"), "read-only"},
		{pgdialect.New(), pgxError("08006"), "connection lost"},
		{pgdialect.New(), pgxError("58030"), "storage failure"},
		{pgdialect.New(), pgxError("57014"), "statement canceled"},
		{pgdialect.New(), pgxError("55P03"), "busy"},
		{pgdialect.New(), pgxError("28P01"), "access denied"},
		{pgdialect.New(), pgxError("28000"), "access denied"}, // the role may not log in any more
		{pgdialect.New(), pgxError("3D000"), "no such database"},
		{pgdialect.New(), fmt.Errorf("connect: %w", &tls.CertificateVerificationError{Err: errors.New("expired")}), "connection lost"},
		{pgdialect.New(), fmt.Errorf("connect: %w", refused), "connection lost"},
		{pgdialect.New(), io.ErrUnexpectedEOF, "connection lost"},
		{pgdialect.New(), fmt.Errorf("read: %w", io.EOF), "connection lost"},
		{pgdialect.New(), driver.ErrBadConn, "connection lost"},
		{pgdialect.New(), pgxError("23505"), ""},
		{pgdialect.New(), pgxError("42501"), ""},
		{pgdialect.New(), errors.New("sql: Scan error"), ""},
		{sqlitedialect.New(), sqliteError(13), "disk full"},
		{sqlitedialect.New(), sqliteError(8 | 1<<8), "read-only"},
		{sqlitedialect.New(), sqliteError(10 | 3<<8), "storage failure"},
		{sqlitedialect.New(), sqliteError(14), "storage failure"},
		{sqlitedialect.New(), errors.New("database or disk is full"), "disk full"},
		{sqlitedialect.New(), sqliteError(11), ""}, // a corrupt file
		{sqlitedialect.New(), sqliteError(19), ""},
	} {
		f := &fake{}
		s, _ := f.open(t, c.dialect, nil)
		for name, call := range calls(s) {
			f.ran, f.script = nil, []error{c.err, c.err, c.err}
			err := call(t.Context())
			require.ErrorIs(t, err, c.err)
			require.ErrorContains(t, err, "bunstore: "+name)
			var trouble *consultation.UnavailableError
			require.Equal(t, c.reason != "", errors.As(err, &trouble), "%s: %v", name, c.err)
			if trouble != nil {
				require.Equal(t, c.reason, trouble.Reason)
				require.ErrorIs(t, err, consultation.ErrUnavailable)
			}
		}
		if _, ok := c.dialect.(*pgdialect.Dialect); ok {
			f.script = []error{c.err, c.err, c.err}
			require.Equal(t, c.reason != "", errors.Is(s.Check(t.Context()), consultation.ErrUnavailable))
		}
	}
}

// TestUnavailableInTheHostsTransaction keeps the two sentinels apart.
func TestUnavailableInTheHostsTransaction(t *testing.T) {
	t.Parallel()
	f := &fake{}
	s, db := f.open(t, pgdialect.New(), nil)
	require.NoError(t, db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		for _, call := range calls(s.With(tx)) {
			f.script = []error{pgxError("53100")}
			err := call(ctx)
			require.ErrorIs(t, err, consultation.ErrUnavailable)
			require.NotErrorIs(t, err, consultation.ErrRetryTx)
			f.script = []error{pgxError("40001")}
			err = call(ctx)
			require.ErrorIs(t, err, consultation.ErrRetryTx)
			require.NotErrorIs(t, err, consultation.ErrUnavailable)
		}
		return nil
	}))
}
