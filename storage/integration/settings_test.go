package integration_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// TestSettings gives the database settings that change how values are written.
// Each call answers what it answers with the defaults.
func TestSettings(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		for _, settings := range [][]string{
			{"datestyle = 'SQL, DMY'", "timezone = 'America/New_York'"},
			{"datestyle = 'German'", "intervalstyle = 'sql_standard'", "extra_float_digits = -15"},
			{"datestyle = 'Postgres, MDY'", "intervalstyle = 'iso_8601'", "timezone = 'Africa/Monrovia'"},
			{"bytea_output = 'escape'", "lc_messages = 'C'", "array_nulls = off", "transform_null_equals = on", "timezone = '-05:30'"},
		} {
			dsn := pgtest.Database(t)
			u, err := url.Parse(dsn)
			require.NoError(t, err)
			admin := drivers[0].open(t, dsn)
			for _, setting := range settings {
				_, err := admin.Exec(`ALTER DATABASE ` + strings.TrimPrefix(u.Path, "/") + ` SET ` + setting)
				require.NoError(t, err)
			}
			require.NoError(t, admin.Close())
			s := d.openStore(t, dsn, 1)
			require.NoError(t, s.Check(t.Context()))
			useAll(t, s, settings)
		}
	})
}

// useAll calls each method that reads a time and requires times near the present.
func useAll(t *testing.T, s *store, settings []string) {
	t.Helper()
	ctx, start := t.Context(), time.Now()
	near := func(at time.Time, what string) {
		t.Helper()
		require.WithinDuration(t, start, at, time.Hour, "%s with %v", what, settings)
	}
	c, err := s.Create(ctx, consultation.CreateParams{ID: room, Topic: "Rückenschmerzen", Patient: patient})
	require.NoError(t, err, settings)
	near(c.CreatedAt, "create")
	changed, err := s.Change(ctx, consultation.ChangeParams{Change: accept(room), Enqueue: &realtime.Enqueue{}})
	require.NoError(t, err, settings)
	near(changed.Consultation.UpdatedAt, "change")

	p := message(room, patient, "key")
	sent, err := s.Append(ctx, p)
	require.NoError(t, err, settings)
	near(sent.Message.CreatedAt, "append")
	replayed, err := s.Append(ctx, p)
	require.NoError(t, err, settings)
	require.Equal(t, sent.Message, replayed.Message)
	edited, err := s.Edit(ctx, chat.EditParams{ID: p.ID, By: patient.UserID, Content: "neu", Window: -1})
	require.NoError(t, err, settings)
	require.Equal(t, sent.Message.CreatedAt, edited.Message.CreatedAt)
	marked, err := s.MarkRead(ctx, chat.ReadParams{ConsultationID: room, Reader: student.UserID, Seq: 3})
	require.NoError(t, err, settings)
	near(marked.Mark.At, "mark")

	page := history(ctx, t, s, room)
	require.Equal(t, []chat.Message{edited.Message}, page.Messages)
	require.Equal(t, c.CreatedAt, page.Consultation.CreatedAt)
	require.Equal(t, marked.Mark, page.Reads[student.UserID])
	changes, err := s.Changes(ctx, chat.ChangesParams{ConsultationID: room, Viewer: student.UserID, Since: 2, Limit: 5, MaxBehind: 100})
	require.NoError(t, err, settings)
	require.Equal(t, page.Messages, changes.Messages)
	inbox, err := s.Inbox(ctx, chat.InboxParams{Viewer: student.UserID, Limit: 5})
	require.NoError(t, err, settings)
	require.Len(t, inbox.Items, 1)
	require.Equal(t, edited.Message, *inbox.Items[0].Last)
	next, err := s.Inbox(ctx, chat.InboxParams{Viewer: student.UserID, Limit: 5, After: inbox.Items[0].Cursor})
	require.NoError(t, err, settings)
	require.Empty(t, next.Items, "a cursor survives the way through the database")
	_, err = s.Inbox(ctx, chat.InboxParams{Viewer: student.UserID, OpenRequests: true, Limit: 5})
	require.NoError(t, err, settings)
	entries, err := s.Claim(ctx, realtime.ClaimParams{Limit: 5})
	require.NoError(t, err, settings)
	require.NotEmpty(t, entries)
}

// TestActivityIsNotBeforeTheMessage lets a send wait for the row's lock. The
// consultation's place in the inbox is that of the message.
func TestActivityIsNotBeforeTheMessage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		h := hold(t, d)
		tx, err := h.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.Exec(`SELECT 1 FROM murph_consultations FOR UPDATE`)
		require.NoError(t, err)
		sent := make(chan chat.Message, 1)
		go func() {
			done, err := h.Append(t.Context(), message(room, patient, ""))
			if err != nil {
				t.Error(err)
			}
			sent <- done.Message
		}()
		waiters(t, h.watch, h.name, 1)
		require.NoError(t, tx.Rollback())
		m := <-sent
		inbox, err := h.Inbox(t.Context(), chat.InboxParams{Viewer: patient.UserID, Limit: 1})
		require.NoError(t, err)
		require.Equal(t, m.CreatedAt, inbox.Items[0].Cursor.Activity)
	})
}
