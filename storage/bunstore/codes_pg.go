package bunstore

import (
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
)

// The conditions of Postgres that the store reacts to (PostgreSQL manual,
// appendix A).
const (
	codeUniqueViolation      = "23505"
	codeSerializationFailure = "40001"
	codeDeadlockDetected     = "40P01"
	codeNoStatement          = "26000" // a prepared statement is not there
	codeDuplicateStatement   = "42P05" // a prepared statement is there already
)

// The kinds of trouble that an UnavailableError names, besides those of
// pgTrouble.
const (
	reasonBusy       = "busy"
	reasonConnection = "connection lost"
	reasonDiskFull   = "disk full"
	reasonReadOnly   = "read-only"
	reasonStorage    = "storage failure"
	reasonUnprepared = "prepared statement lost"
)

// pooling tells what to do about lost prepared statements.
const pooling = "is PgBouncer in transaction mode before the database? " +
	"Set its max_prepared_statements, or use default_query_exec_mode=exec with pgx"

// pgTrouble maps conditions, and classes of conditions, to the kind of trouble.
var pgTrouble = []struct{ prefix, reason string }{
	{"08", reasonConnection},
	{"25006", reasonReadOnly},
	{"28", "access denied"}, // of a new connection, as while a password changes
	{"3D000", "no such database"},
	{codeNoStatement, reasonUnprepared},
	{codeDuplicateStatement, reasonUnprepared},
	{"25P03", reasonConnection}, // idle_in_transaction_session_timeout
	{codeSerializationFailure, reasonBusy},
	{codeDeadlockDetected, reasonBusy},
	{"53100", reasonDiskFull},
	{"53300", "too many connections"},
	{"53", "out of resources"},
	{codeLockNotAvailable, reasonBusy},
	{"57014", "statement canceled"}, // statement_timeout, or an administrator
	{"57P", "server shutdown"},
	{"58", reasonStorage},
}

func (postgres) unavailable(err error) string {
	if state := sqlState(err); state != "" {
		for _, t := range pgTrouble {
			if strings.HasPrefix(state, t.prefix) {
				return t.reason
			}
		}
		return ""
	}
	var network net.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errAgain):
		return reasonBusy
	case errors.As(err, &network), errors.As(err, &certificate), errors.Is(err, driver.ErrBadConn), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return reasonConnection
	}
	return ""
}

// sqlState returns the SQLSTATE of a Postgres error, or "". It knows pgx and pgdriver by their methods, so that this
// package imports neither.
func sqlState(err error) string {
	var pgx interface{ SQLState() string }
	if errors.As(err, &pgx) {
		return pgx.SQLState()
	}
	var pgdriver interface{ Field(k byte) string }
	if errors.As(err, &pgdriver) {
		return pgdriver.Field('C')
	}
	return ""
}
