package integration_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDeadlineInTheHostsTransaction ends the context of a call while its
// statement waits for a lock in a transaction of the host application. That
// transaction is lost then, and nothing that follows may commit alone.
func TestDeadlineInTheHostsTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		h := hold(t, d)
		_, err := h.db.Exec(`CREATE TABLE notes (text text)`)
		require.NoError(t, err)
		locker, err := h.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = locker.Exec(`SELECT 1 FROM murph_consultations FOR UPDATE`)
		require.NoError(t, err)

		tx, err := h.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.Exec(`INSERT INTO notes VALUES ('before')`)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err = h.With(tx).Append(ctx, message(room, patient, ""))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, locker.Rollback())

		_, err = tx.Exec(`INSERT INTO notes VALUES ('after')`)
		require.Error(t, err)
		require.Error(t, tx.Commit())
		var notes int
		require.NoError(t, h.db.QueryRow(`SELECT count(*) FROM notes`).Scan(&notes))
		require.Zero(t, notes)
		require.Empty(t, history(t.Context(), t, h, room).Messages)
	})
}
