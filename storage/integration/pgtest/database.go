package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
)

// The environment variables that the package reads.
const (
	// EnvDSN names a server to use instead of starting one. The user must be allowed to create databases.
	EnvDSN = "MURPH_TEST_POSTGRES_DSN"
	// EnvRequire lists what must not be skipped: with "postgres" among it a test without a server fails.
	EnvRequire = "MURPH_TEST_REQUIRE"
)

// Database creates an empty database, which the test has to itself, and returns its address as a URL. It is on the server
// that all tests of the process share, and is dropped when tb ends. It is safe for concurrent use.
func Database(tb testing.TB) string {
	tb.Helper()
	return common(tb).Database(tb)
}

// Schema creates an empty schema, which the test has to itself, and returns an address whose connections use it and nothing
// else. That takes a small part of the time of a [Database]; what belongs to the whole database, such as advisory locks,
// is shared with other tests. The schema is dropped when tb ends. It is safe for concurrent use.
func Schema(tb testing.TB) string {
	tb.Helper()
	s := common(tb)
	name := s.name()
	if err := s.admin(tb.Context(), `CREATE SCHEMA `+name); err != nil {
		tb.Fatalf("pgtest: create schema: %v", err)
	}
	tb.Cleanup(func() { s.drop(tb, `DROP SCHEMA IF EXISTS `+name+` CASCADE`) })
	u := s.url
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// common returns the server that the tests of this process share. If somebody has named it, it has to be there.
func common(tb testing.TB) *Server {
	tb.Helper()
	s, err := shared()
	switch {
	case err == nil:
	case os.Getenv(EnvDSN) != "":
		tb.Fatalf("pgtest: the server of %s: %v", EnvDSN, err)
	default:
		unavailable(tb, err)
	}
	return s
}

// shared returns the server that the tests of this process share.
var shared = sync.OnceValues(func() (*Server, error) {
	if dsn := os.Getenv(EnvDSN); dsn != "" {
		return external(dsn)
	}
	return start(nil)
})

// unavailable skips the test, or fails it if it must not be skipped.
func unavailable(tb testing.TB, err error) {
	tb.Helper()
	if slices.Contains(strings.Split(os.Getenv(EnvRequire), ","), "postgres") {
		tb.Fatalf("pgtest: PostgreSQL is required by %s: %v", EnvRequire, err)
	}
	tb.Skipf("pgtest: there is no PostgreSQL for this test: %v", err)
}

// external is the server that somebody else has started.
func external(dsn string) (*Server, error) {
	u, err := url.Parse(dsn)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return nil, errors.New("its address is not a URL of the form postgres://user:password@host:port/database")
	}
	return connect(u)
}

// names counts the names that this process has given.
var names atomic.Int64

// name makes a name that no other test has, nor another process on the same server.
func (s *Server) name() string { return fmt.Sprintf("murph_test_%d_%d", os.Getpid(), names.Add(1)) }

// Database creates an empty database on the server and returns its address as a URL. It is dropped when tb ends, also
// while there are connections to it.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	name := s.name()
	if err := s.admin(tb.Context(), `CREATE DATABASE `+name); err != nil {
		tb.Fatalf("pgtest: create database: %v", err)
	}
	tb.Cleanup(func() { s.drop(tb, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`) })
	return s.DSN(name)
}

// drop cleans up, unless the server is gone.
func (s *Server) drop(tb testing.TB, statement string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.admin(ctx, statement); err != nil && !s.stopped.Load() {
		tb.Errorf("pgtest: %s: %v", statement, err)
	}
}

// DSN returns the address of a database on the server as a URL.
func (s *Server) DSN(database string) string {
	u := s.url
	u.Path = "/" + database
	return u.String()
}

func (s *Server) admin(ctx context.Context, statement string) error {
	_, err := s.db.ExecContext(ctx, statement)
	return err
}

// connect opens the pool that creates and drops databases.
func connect(u *url.URL) (*Server, error) {
	db, err := sql.Open("pgx", u.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &Server{url: *u, db: db}, nil
}
