package integration_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// unmigrated opens a store on an empty schema.
func (d driver) unmigrated(t *testing.T, dsn string) *store {
	t.Helper()
	db := d.open(t, dsn)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	s := &store{db: bun.NewDB(db, pgdialect.New())}
	var err error
	s.Store, err = bunstore.New(s.db, nil)
	require.NoError(t, err)
	return s
}

// TestMigrateAtOnce lets several processes start at the same moment.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		dsn := pgtest.Schema(t)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for range 8 {
			s := d.unmigrated(t, dsn)
			wg.Go(func() {
				<-start
				assert.NoError(t, s.Migrate(t.Context()))
			})
		}
		close(start)
		wg.Wait()
		s := d.unmigrated(t, dsn)
		require.NoError(t, s.Check(t.Context()))
		require.NoError(t, s.Migrate(t.Context()), "again")
		begin(t, s, room)
	}, serializable)
}

// TestMigrateInATransaction migrates as a part of what the host does, and takes it back.
func TestMigrateInATransaction(t *testing.T) {
	t.Parallel()
	s := drivers[0].unmigrated(t, pgtest.Schema(t))
	errBack := errors.New("back")
	err := s.db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		bound := s.With(tx)
		require.NoError(t, bound.Migrate(ctx))
		begin(t, bound, room)
		return errBack
	})
	require.ErrorIs(t, err, errBack)
	require.ErrorContains(t, s.Check(t.Context()), "schema is missing")
}

// TestMigrationsByTheHost runs the files as a tool of the host's does: whole, up, down and up again.
func TestMigrationsByTheHost(t *testing.T) {
	t.Parallel()
	s := drivers[0].unmigrated(t, pgtest.Schema(t))
	run := func(names []string) {
		for _, name := range names {
			body, err := fs.ReadFile(bunstore.Migrations(), name)
			require.NoError(t, err)
			_, err = s.db.DB.ExecContext(t.Context(), string(body))
			require.NoError(t, err, name)
		}
	}
	ups, err := fs.Glob(bunstore.Migrations(), "postgres/*.up.sql")
	require.NoError(t, err)
	downs, err := fs.Glob(bunstore.Migrations(), "postgres/*.down.sql")
	require.NoError(t, err)
	slices.Reverse(downs)
	run(ups)
	require.NoError(t, s.Check(t.Context()))
	begin(t, s, room)
	run(downs)
	var left int
	require.NoError(t, s.db.DB.QueryRow(`SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace`).Scan(&left))
	require.Zero(t, left)
	run(ups[:1])
	// A consultation of the first version keeps its channel.
	_, err = s.db.DB.ExecContext(t.Context(), `
		INSERT INTO murph_consultations (id, status, topic, patient_id, student_id, rev, created_at, updated_at, active_at)
		VALUES ('old', 'IN_PROGRESS', 'x', 'patient-1', 'student-1', 7, now(), now(), now());
		INSERT INTO murph_participants (consultation_id, user_id, role, first_name, last_name, image)
		VALUES ('old', 'patient-1', 'PATIENT', 'P', 'P', ''), ('old', 'student-1', 'STUDENT', 'S', 'S', '')`)
	require.NoError(t, err)
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.Check(t.Context()))
	c, err := s.Consultation(t.Context(), "old", "")
	require.NoError(t, err)
	require.Equal(t, 1, c.AudienceNumber)
	require.EqualValues(t, 7, c.Rev)
}
