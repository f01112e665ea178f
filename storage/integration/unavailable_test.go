package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// requireTrouble fails the test unless err names the kind of trouble.
func requireTrouble(t *testing.T, err error, reason string) {
	t.Helper()
	var trouble *consultation.UnavailableError
	require.ErrorAs(t, err, &trouble)
	require.Equal(t, reason, trouble.Reason, err)
	require.ErrorIs(t, err, consultation.ErrUnavailable)
}

// storeAt returns a store on dsn without a migration.
func (d driver) storeAt(t *testing.T, dsn string) *bunstore.Store {
	t.Helper()
	db := d.open(t, dsn)
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	s, err := bunstore.New(bun.NewDB(db, pgdialect.New()), nil)
	require.NoError(t, err)
	return s
}

// TestTerminatedBackend ends the connection of a call that waits for a lock.
func TestTerminatedBackend(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		h := hold(t, d)
		tx, err := h.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.Exec(`SELECT 1 FROM murph_consultations FOR UPDATE`)
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() {
			_, err := h.Append(t.Context(), message(room, patient, ""))
			done <- err
		}()
		waiters(t, h.watch, h.name, 1)
		_, err = h.watch.Exec(`
			SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
			WHERE NOT l.granted AND a.application_name = $1`, h.name)
		require.NoError(t, err)
		requireTrouble(t, <-done, "server shutdown")
		require.NoError(t, tx.Rollback())
		send(t, h, room, patient)
		require.Len(t, history(t.Context(), t, h, room).Messages, 1)
	})
}

// TestReadOnlyDatabase uses a role or database that may not write, as on a
// server that has become a replica.
func TestReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		dsn := pgtest.Schema(t)
		begin(t, d.openStore(t, dsn, 1), room)
		s := d.storeAt(t, with(t, dsn, "default_transaction_read_only", "on"))
		_, err := s.Append(t.Context(), message(room, patient, ""))
		requireTrouble(t, err, "read-only")
		err = s.Check(t.Context())
		requireTrouble(t, err, "read-only")
		var degraded interface{ Degraded() bool }
		require.False(t, errors.As(err, &degraded), "nothing can be stored")
		require.Empty(t, history(t.Context(), t, s, room).Messages)
	})
}

// TestTooManyConnections takes all connections of a server.
func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, "max_connections=12", "superuser_reserved_connections=0", "max_wal_senders=0")
	dsn := server.Database(t)
	d := drivers[0]
	begin(t, d.openStore(t, dsn, 1), room)
	hog := d.open(t, dsn)
	defer func() { require.NoError(t, hog.Close()) }()
	var taken []*sql.Conn
	for {
		c, err := hog.Conn(t.Context())
		if err != nil {
			break
		}
		taken = append(taken, c)
	}
	for _, d := range drivers {
		s := d.storeAt(t, dsn)
		_, err := s.Append(t.Context(), message(room, patient, ""))
		requireTrouble(t, err, "too many connections")
		requireTrouble(t, s.Check(t.Context()), "too many connections")
	}
	for _, c := range taken {
		require.NoError(t, c.Close())
	}
}

// TestNoServer connects to a port on which nothing listens.
func TestNoServer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		u, err := url.Parse(pgtest.Schema(t))
		require.NoError(t, err)
		u.Host = "127.0.0.1:1"
		_, err = d.storeAt(t, u.String()).Append(t.Context(), message(room, patient, ""))
		requireTrouble(t, err, "connection lost")
	})
}

// TestLostConnection cuts the connection of a call that waits for a lock.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		h := hold(t, d)
		tx, err := h.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.Exec(`SELECT 1 FROM murph_consultations FOR UPDATE`)
		require.NoError(t, err)
		w := newWire(t, h.dsn)
		s := d.storeAt(t, w.dsn)
		done := make(chan error, 1)
		go func() {
			_, err := s.Append(t.Context(), message(room, patient, ""))
			done <- err
		}()
		waiters(t, h.watch, h.name, 1)
		w.refuse() // pgx sends a statement of the simple protocol again
		w.cut()
		requireTrouble(t, <-done, "connection lost")
		require.NoError(t, tx.Rollback())
	})
}

// TestCheckWritesNothing looks for what the write of the health check leaves.
func TestCheckWritesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		dsn := pgtest.Database(t)
		s := d.openStore(t, dsn, 1)
		size := func() (bytes int64) {
			require.NoError(t, s.db.QueryRow(`
				SELECT sum(pg_relation_size(c.oid)) FROM pg_class c WHERE c.relkind IN ('r', 'i', 't')`).Scan(&bytes))
			return bytes
		}
		before := size()
		for range 50 {
			require.NoError(t, s.Check(t.Context()))
		}
		require.Equal(t, before, size())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, s.Check(ctx), context.Canceled)
	})
}

// TestCheckWithoutGrant uses a role that owns nothing and may write the tables
// of the conversation only.
func TestCheckWithoutGrant(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := drivers[0].openStore(t, dsn, 1)
	for _, text := range []string{
		`GRANT SELECT ON ALL TABLES IN SCHEMA public TO pg_monitor`, `SET ROLE pg_monitor`,
	} {
		_, err := s.db.Exec(text)
		require.NoError(t, err)
	}
	err := s.Check(t.Context())
	require.ErrorContains(t, err, "GRANT UPDATE ON murph_schema")
	var degraded interface{ Degraded() bool }
	require.True(t, errors.As(err, &degraded) && degraded.Degraded())
}
