package sqlitestore_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
)

// TestRestoredFile opens a backup in the place of the database, and lets the log grow past what a client has seen.
func TestRestoredFile(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	begin(t, s, "room")
	backup := filepath.Join(t.TempDir(), "backup.db")
	_, err := s.DB().ExecContext(t.Context(), `VACUUM INTO ?`, backup)
	require.NoError(t, err)
	send := func(to chat.Storage) chat.Message {
		t.Helper()
		sent, err := to.Append(t.Context(), message("room", ""))
		require.NoError(t, err)
		return sent.Message
	}
	lost := send(s)
	seen, err := s.History(t.Context(), chat.HistoryParams{ConsultationID: "room", Viewer: patient.UserID, Limit: 10})
	require.NoError(t, err)

	restored := openAt(t, backup, nil)
	require.NoError(t, restored.NewEpoch(t.Context()))
	first, second := send(restored), send(restored)
	require.Equal(t, lost.Rev, first.Rev, "the rev is given again")
	changes, err := restored.Changes(t.Context(), chat.ChangesParams{
		ConsultationID: "room", Viewer: patient.UserID, Since: seen.Consultation.Rev, Epoch: seen.Epoch, Limit: 10, MaxBehind: 500,
	})
	require.NoError(t, err)
	require.True(t, changes.Reset)
	require.Equal(t, []chat.Message{first, second}, changes.Messages)
}
