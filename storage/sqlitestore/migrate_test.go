package sqlitestore_test

import (
	"database/sql"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/sqlitestore"
)

func TestOpenMigratesExistingData(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "chat.db")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	first, err := fs.ReadFile(bunstore.Migrations(), "sqlite/0001_init.up.sql")
	require.NoError(t, err)
	for _, script := range []string{string(first), `
		INSERT INTO murph_consultations (id, status, topic, patient_id, student_id, rev, created_at, updated_at, active_at)
		VALUES ('old', 'IN_PROGRESS', 'x', 'patient-1', 'student-1', 7, 1, 1, 1);
		INSERT INTO murph_participants (consultation_id, user_id, role, first_name, last_name, image)
		VALUES ('old', 'patient-1', 'PATIENT', 'P', 'P', ''), ('old', 'student-1', 'STUDENT', 'S', 'S', '')`} {
		_, err = db.ExecContext(t.Context(), script)
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())

	store, err := sqlitestore.Open(t.Context(), path, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	c, err := store.Consultation(t.Context(), "old", "")
	require.NoError(t, err)
	require.Equal(t, 1, c.AudienceNumber, "a consultation of the first version keeps its channel")
	require.EqualValues(t, 7, c.Rev)
}
