package integration_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// catchUp asks for what the patient has missed since a page.
func catchUp(t *testing.T, s *store, seen chat.Page) chat.Changes {
	t.Helper()
	changes, err := s.Changes(t.Context(), chat.ChangesParams{
		ConsultationID: room, Viewer: patient.UserID, Since: seen.Consultation.Rev, Epoch: seen.Epoch, Limit: 10, MaxBehind: 500,
	})
	require.NoError(t, err)
	return changes
}

// TestRestoreIsNoticedWhileRunning puts the database back under a process that keeps running, and lets the log grow past
// what a client has seen. The server's transaction counter stands for the restored one.
func TestRestoreIsNoticedWhileRunning(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		s := d.openStore(t, pgtest.Schema(t), 1)
		begin(t, s, room)
		send(t, s, room, student)
		seen := history(t.Context(), t, s, room)
		for _, statement := range []string{
			`DELETE FROM murph_messages`,
			`UPDATE murph_consultations SET rev = 2`,
			`CREATE FUNCTION txid_snapshot_xmax(txid_snapshot) RETURNS bigint LANGUAGE sql AS $$ SELECT 5::bigint $$`,
			`SELECT set_config('search_path', current_schema() || ', pg_catalog', false)`,
		} {
			_, err := s.db.DB.Exec(statement)
			require.NoError(t, err)
		}
		send(t, s, room, patient)
		send(t, s, room, patient)
		changes := catchUp(t, s, seen)
		require.True(t, changes.Reset)
		require.Len(t, changes.Messages, 2)
		require.NotEqual(t, seen.Epoch, changes.Epoch)
		again := catchUp(t, s, changes.Page)
		require.False(t, again.Reset, "once is enough")
		require.Equal(t, changes.Epoch, again.Epoch)
	})
}

// TestRestoreIsNoticedByMigrate makes the table anew with what was in it, as loading a dump does, and starts the process
// again.
func TestRestoreIsNoticedByMigrate(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Schema(t)
	s := drivers[0].openStore(t, dsn, 1)
	begin(t, s, room)
	seen := history(t.Context(), t, s, room)
	require.NoError(t, s.Migrate(t.Context()))
	require.Equal(t, seen.Epoch, history(t.Context(), t, s, room).Epoch, "nothing was restored")
	require.False(t, catchUp(t, s, seen).Reset)

	_, err := s.db.DB.Exec(`
		ALTER TABLE murph_epoch RENAME TO dump;
		CREATE TABLE murph_epoch (LIKE dump INCLUDING ALL);
		INSERT INTO murph_epoch SELECT * FROM dump;
		DROP TABLE dump`)
	require.NoError(t, err)

	started := drivers[0].openStore(t, dsn, 1)
	changes := catchUp(t, started, seen)
	require.True(t, changes.Reset)
	require.NotEqual(t, seen.Epoch, changes.Epoch)
	require.NoError(t, started.Migrate(t.Context()))
	require.False(t, catchUp(t, started, changes.Page).Reset, "once is enough")
}

// TestMigrateOnASilentServer uses a database that does not tell where it is, as some hosted ones.
func TestMigrateOnASilentServer(t *testing.T) {
	t.Parallel()
	s := drivers[0].openStore(t, pgtest.Schema(t), 1)
	begin(t, s, room)
	seen := history(t.Context(), t, s, room)
	for _, statement := range []string{
		`CREATE FUNCTION pg_walfile_name(pg_lsn) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'not supported'; END $$`,
		`SELECT set_config('search_path', current_schema() || ', pg_catalog', false)`,
	} {
		_, err := s.db.DB.Exec(statement)
		require.NoError(t, err)
	}
	require.NoError(t, s.Migrate(t.Context()))
	require.Equal(t, seen.Epoch, history(t.Context(), t, s, room).Epoch)
	require.NoError(t, s.NewEpoch(t.Context()))
	require.True(t, catchUp(t, s, seen).Reset)
}
