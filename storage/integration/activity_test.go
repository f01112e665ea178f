package integration_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/storage/storagetest"
)

// TestActivityIsThatOfTheMessage sends while another transaction holds the lock, which ends in either way: the place in the
// list must be that of the message's own time, which is read when the lock is held.
func TestActivityIsThatOfTheMessage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		h := hold(t, d)
		for _, rollback := range []bool{true, false} {
			var sent chat.Appended
			var err error
			h.during(t, func(tx storagetest.Store) error {
				_, err := tx.Append(t.Context(), message(room, student, ""))
				return err
			}, rollback, func() { sent, err = h.Append(t.Context(), message(room, patient, "")) })
			require.NoError(t, err)
			list, err := h.Inbox(t.Context(), chat.InboxParams{Viewer: patient.UserID, Limit: 1})
			require.NoError(t, err)
			require.Equal(t, sent.Message, *list.Items[0].Last)
			require.Equal(t, sent.Message.CreatedAt, list.Items[0].Cursor.Activity, "rollback %v", rollback)
		}
	})
}
