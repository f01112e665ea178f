package integration_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// TestCheck breaks one thing after the other and looks whether the startup check notices and says what to do.
func TestCheck(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		s := d.openStore(t, pgtest.Schema(t), 1)
		require.NoError(t, s.Check(t.Context()))
		for _, c := range []struct {
			name, breaks, mends string
			says                []string
		}{
			{
				name:   "asynchronous commits",
				breaks: `SET synchronous_commit = off`, mends: `RESET synchronous_commit`,
				says: []string{"synchronous_commit is off", "set it to on"},
			},
			{
				name:   "a missing index",
				breaks: `DROP INDEX murph_messages_rev`,
				mends:  `CREATE UNIQUE INDEX murph_messages_rev ON murph_messages (consultation_id, rev)`,
				says:   []string{"index murph_messages_rev is missing", "Migrations"},
			},
			{
				name:   "an invalid index",
				breaks: `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'murph_outbox_due'::regclass`,
				mends:  `UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'murph_outbox_due'::regclass`,
				says:   []string{"index murph_outbox_due is invalid", "REINDEX"},
			},
			{
				name:   "a newer schema",
				breaks: `INSERT INTO murph_schema (version) VALUES (99)`, mends: `DELETE FROM murph_schema WHERE version = 99`,
				says: []string{"version 99", "deploy the newer program"},
			},
			{
				name:   "an older schema",
				breaks: `UPDATE murph_schema SET version = -version`, mends: `UPDATE murph_schema SET version = -version`,
				says: []string{"version -1", "call Migrate"},
			},
		} {
			_, err := s.db.Exec(c.breaks)
			require.NoError(t, err, c.name)
			err = s.Check(t.Context())
			require.Error(t, err, c.name)
			for _, says := range c.says {
				require.ErrorContains(t, err, says, c.name)
			}
			var works interface{ Degraded() bool }
			require.Equal(t, c.name != "an older schema", errors.As(err, &works) && works.Degraded(), c.name)
			_, err = s.db.Exec(c.mends)
			require.NoError(t, err, c.name)
			require.NoError(t, s.Check(t.Context()), c.name)
		}
	})
}

// TestCheckJoinsFindings finds two things wrong at once.
func TestCheckJoinsFindings(t *testing.T) {
	t.Parallel()
	s := drivers[0].openStore(t, with(t, pgtest.Schema(t), "synchronous_commit", "off"), 1)
	_, err := s.db.Exec(`DROP INDEX murph_messages_key`)
	require.NoError(t, err)
	err = s.Check(t.Context())
	require.ErrorContains(t, err, "synchronous_commit is off")
	require.ErrorContains(t, err, "murph_messages_key is missing")
}

// TestCheckWithoutSchema asks before the first migration.
func TestCheckWithoutSchema(t *testing.T) {
	t.Parallel()
	db := drivers[0].open(t, pgtest.Schema(t))
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	s, err := bunstore.New(bun.NewDB(db, pgdialect.New()), nil)
	require.NoError(t, err)
	require.ErrorContains(t, s.Check(t.Context()), "call Migrate")
}

// TestCheckClock gives the database another clock, which it finds before its own.
func TestCheckClock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ by, says string }{{"- interval '2 s'", "behind"}, {"+ interval '2 s'", "ahead"}} {
		s := drivers[0].openStore(t, pgtest.Schema(t), 1)
		for _, statement := range []string{
			`CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT pg_catalog.clock_timestamp() ` +
				c.by + ` $$`,
			`SELECT set_config('search_path', current_schema() || ', pg_catalog', false)`,
		} {
			_, err := s.db.DB.Exec(statement)
			require.NoError(t, err)
		}
		err := s.Check(t.Context())
		require.ErrorContains(t, err, c.says)
		require.ErrorContains(t, err, "NTP")
	}
}

// TestCheckFsync uses a server that does not wait for its disk.
func TestCheckFsync(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, "fsync=off", "full_page_writes=off")
	err := drivers[0].openStore(t, server.Database(t), 1).Check(t.Context())
	require.ErrorContains(t, err, "fsync is off")
	require.ErrorContains(t, err, "full_page_writes is off")
}

// TestCheckCopies puts a second copy of a table into a schema that other
// connections of the same role may use.
func TestCheckCopies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		s := d.openStore(t, pgtest.Database(t), 1)
		require.NoError(t, s.Check(t.Context()))
		_, err := s.db.Exec(`CREATE SCHEMA murph; CREATE TABLE murph.murph_consultations (LIKE murph_consultations)`)
		require.NoError(t, err)
		require.NoError(t, s.Check(t.Context()), "a schema for something else, such as another tenant")
		_, err = s.db.Exec(`SET search_path = murph, public`)
		require.NoError(t, err)
		require.ErrorContains(t, s.Check(t.Context()), "murph_consultations is also in the schema public")
		_, err = s.db.Exec(`SET search_path = public, murph`)
		require.NoError(t, err)
		err = s.Check(t.Context())
		require.ErrorContains(t, err, "murph_consultations is also in the schema murph")
		require.ErrorContains(t, err, "search_path")
	})
}

// TestCheckEncoding uses a database that cannot store every character.
func TestCheckEncoding(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	admin := drivers[0].open(t, server.DSN("postgres"))
	t.Cleanup(func() { require.NoError(t, admin.Close()) })
	_, err := admin.Exec(`CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`)
	require.NoError(t, err)
	err = drivers[0].openStore(t, with(t, server.DSN("latin"), "client_encoding", "UTF8"), 1).Check(t.Context())
	require.ErrorContains(t, err, "the database's encoding is LATIN1")
	require.ErrorContains(t, err, "ENCODING 'UTF8'")
	dsn := server.Database(t)
	begin(t, drivers[0].openStore(t, dsn, 1), room)
	err = drivers[0].storeAt(t, with(t, dsn, "client_encoding", "LATIN1")).Check(t.Context())
	require.ErrorContains(t, err, "client_encoding is LATIN1")
	err = drivers[0].storeAt(t, with(t, dsn, "standard_conforming_strings", "off")).Check(t.Context())
	require.ErrorContains(t, err, "standard_conforming_strings is off")
}
