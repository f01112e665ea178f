package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// TestWith binds the store to each kind of connection that hosts have, and sends through it in the number of round trips
// that only bind parameters beneath bun make possible.
func TestWith(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		w := newWire(t, pgtest.Schema(t))
		s := d.openStore(t, w.dsn, 1)
		begin(t, s, room)
		one := func(name string, trips int64, bound *bunstore.Store) {
			require.Equal(t, trips, w.warm(t, func(t *testing.T) error {
				_, err := bound.Append(t.Context(), message(room, patient, ""))
				return err
			}), name)
		}
		ctx := t.Context()

		one("*bun.DB", 1, s.With(s.db))
		one("*sql.DB", 1, s.With(s.db.DB))

		conn, err := s.db.Conn(ctx)
		require.NoError(t, err)
		one("bun.Conn", 1, s.With(conn))
		one("*sql.Conn", 1, s.With(conn.Conn))
		_, err = s.With(conn).Change(ctx, consultation.ChangeParams{Change: reassign(room, student)})
		require.NoError(t, err, "a transaction of the store's own")
		require.NoError(t, conn.Close())

		before := len(history(ctx, t, s, room).Messages)
		tx, err := s.db.BeginTx(ctx, nil)
		require.NoError(t, err)
		one("bun.Tx", 2, s.With(tx))
		one("*bun.Tx", 2, s.With(&tx))
		one("*sql.Tx", 2, s.With(tx.Tx))
		require.NoError(t, tx.Rollback())
		require.Len(t, history(ctx, t, s, room).Messages, before)
	})
}

// TestRefusalsKeepTheTransaction checks that an answer of the domain does not end the host's transaction.
func TestRefusalsKeepTheTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		s := d.openStore(t, pgtest.Schema(t), 1)
		begin(t, s, room)
		first := message(room, patient, "key")
		require.NoError(t, s.db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
			bound := s.With(tx)
			_, err := bound.Append(ctx, first)
			require.NoError(t, err)
			repeat := message(room, patient, "key")
			repeat.Content = first.Content
			again, err := bound.Append(ctx, repeat)
			require.NoError(t, err)
			require.True(t, again.Replayed)
			repeat.Content = "another text"
			_, err = bound.Append(ctx, repeat)
			require.ErrorIs(t, err, consultation.ErrKeyReused)
			_, err = bound.Append(ctx, message(room, other, ""))
			require.ErrorIs(t, err, consultation.ErrNotParticipant)
			_, err = bound.Append(ctx, message("unknown", patient, ""))
			require.ErrorIs(t, err, consultation.ErrNotFound)
			_, err = bound.Create(ctx, consultation.CreateParams{ID: room, Topic: "x", Patient: patient})
			require.ErrorIs(t, err, consultation.ErrExists)
			accepted, err := bound.Change(ctx, consultation.ChangeParams{Change: accept(room)})
			require.NoError(t, err)
			require.True(t, accepted.Unchanged)
			_, err = bound.Change(ctx, consultation.ChangeParams{Change: consultation.Change{
				ID: room, By: consultation.Person(other), To: consultation.StatusInProgress, Student: &other,
			}})
			require.ErrorIs(t, err, consultation.ErrConflict)
			_, err = bound.Edit(ctx, chat.EditParams{ID: first.ID, By: student.UserID, Content: "x", Window: -1})
			require.ErrorIs(t, err, chat.ErrNotSender)
			_, err = bound.Change(ctx, consultation.ChangeParams{Change: complete(room)})
			require.NoError(t, err)
			_, err = bound.Append(ctx, message(room, patient, ""))
			require.ErrorIs(t, err, consultation.ErrNotActive)
			return nil
		}))
		page := history(t.Context(), t, s, room)
		require.Len(t, page.Messages, 1)
		require.EqualValues(t, 4, page.Consultation.Rev)
	})
}

// TestErrors looks at what the host gets when the database fails.
func TestErrors(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		s := d.openStore(t, pgtest.Schema(t), 1)
		begin(t, s, room)
		p := message(room, patient, "")
		p.Content = "Geheimnis"
		_, err := s.Append(t.Context(), p)
		require.NoError(t, err)
		_, err = s.Append(t.Context(), p)
		require.ErrorContains(t, err, "bunstore: append message: ", "an id that is taken")
		require.ErrorContains(t, err, "23505")
		require.NotContains(t, err.Error(), p.Content)
		require.EqualValues(t, 3, history(t.Context(), t, s, room).Consultation.Rev, "no rev is lost")

		_, err = s.db.Exec(`ALTER TABLE murph_messages RENAME TO gone`)
		require.NoError(t, err)
		_, err = s.Append(t.Context(), message(room, patient, ""))
		require.ErrorContains(t, err, "bunstore: append message: ")
		var pgx interface{ SQLState() string }
		var pgdriver interface{ Field(k byte) string }
		require.True(t, errors.As(err, &pgx) || errors.As(err, &pgdriver), "the driver's error can be reached")
		require.NotErrorIs(t, err, sql.ErrNoRows)

		require.NoError(t, s.db.Close())
		_, err = s.History(t.Context(), chat.HistoryParams{ConsultationID: room, Viewer: patient.UserID, Limit: 1})
		require.ErrorContains(t, err, "bunstore: read history: sql: database is closed")
	})
}
