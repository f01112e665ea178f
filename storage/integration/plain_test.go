package integration_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/storage/integration/pgtest"
	"github.com/murph-chat/murph/storage/storagetest"
)

// TestPlainSQL looks for what was sent with nothing of ours in between.
func TestPlainSQL(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		dsn := pgtest.Schema(t)
		s := d.openStore(t, dsn, maxConns)
		begin(t, s, room)
		first := message(room, patient, "key-1")
		sent, err := s.Append(t.Context(), first)
		require.NoError(t, err)
		require.NoError(t, s.inTx(t.Context(), func(tx storagetest.Store) error {
			_, err := tx.Append(t.Context(), message(room, student, ""))
			return err
		}))
		edited, err := s.Edit(t.Context(), chat.EditParams{ID: first.ID, By: patient.UserID, Content: "neu", Window: -1})
		require.NoError(t, err)

		plain, err := sql.Open("pgx", dsn)
		require.NoError(t, err)
		defer func() { require.NoError(t, plain.Close()) }()
		var (
			count, seq, rev, entries int64
			content, key             string
			created, editedAt        time.Time
		)
		require.NoError(t, plain.QueryRow(
			`SELECT content, client_id, seq, rev, created_at, edited_at FROM murph_messages WHERE id = $1`, string(first.ID),
		).Scan(&content, &key, &seq, &rev, &created, &editedAt))
		require.Equal(t, "neu", content)
		require.Equal(t, "key-1", key)
		require.EqualValues(t, []int64{3, 5}, []int64{seq, rev})
		require.True(t, created.Equal(sent.Message.CreatedAt))
		require.True(t, editedAt.Equal(*edited.Message.EditedAt))
		require.NoError(t, plain.QueryRow(`SELECT count(*) FROM murph_messages`).Scan(&count))
		require.EqualValues(t, 2, count)
		require.NoError(t, plain.QueryRow(`SELECT rev FROM murph_consultations`).Scan(&rev))
		require.EqualValues(t, 5, rev)
		require.NoError(t, plain.QueryRow(
			`SELECT count(*) FROM murph_outbox WHERE event = 'new-message' AND rev IN (3, 4) AND message_id IS NOT NULL`,
		).Scan(&entries))
		require.EqualValues(t, 2, entries)
	})
}

// TestOutboxHoldsNoContent reads the whole outbox as text.
func TestOutboxHoldsNoContent(t *testing.T) {
	t.Parallel()
	s := drivers[0].openStore(t, pgtest.Schema(t), maxConns)
	begin(t, s, room)
	p := message(room, patient, "")
	p.Content = "Geheimnis"
	_, err := s.Append(t.Context(), p)
	require.NoError(t, err)
	var rows string
	require.NoError(t, s.db.QueryRow(`SELECT string_agg(o::text, ' ') FROM murph_outbox o`).Scan(&rows))
	require.Contains(t, rows, string(p.ID))
	require.NotContains(t, rows, "Geheimnis")
	require.NotContains(t, rows, patient.LastName)
}
