package sqlitestore_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/sqlitestore"
)

// TestPlans looks at how SQLite runs the statements that run often.
func TestPlans(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	texts := map[string]string{}
	path := filepath.Join(t.TempDir(), "murph.db")
	s := openAt(t, path, &sqlitestore.Options{OnQuery: func(_ context.Context, q bunstore.Query) {
		mu.Lock()
		defer mu.Unlock()
		texts[q.Name] = q.Text
	}})
	begin(t, s, "room")
	ctx := t.Context()
	p := message("room", "key")
	_, err := s.Append(ctx, p)
	require.NoError(t, err)
	_, err = s.Edit(ctx, chat.EditParams{ID: p.ID, By: patient.UserID, Content: "neu", Window: -1})
	require.NoError(t, err)
	_, err = s.MarkRead(ctx, chat.ReadParams{ConsultationID: "room", Reader: patient.UserID, Seq: 1})
	require.NoError(t, err)
	_, err = s.MarkRead(ctx, chat.ReadParams{ConsultationID: "room", Reader: patient.UserID, Seq: 1})
	require.NoError(t, err)
	_, err = s.History(ctx, chat.HistoryParams{ConsultationID: "room", Viewer: patient.UserID, Limit: 1})
	require.NoError(t, err)
	_, err = s.Changes(ctx, chat.ChangesParams{ConsultationID: "room", Viewer: patient.UserID, Limit: 1, MaxBehind: 1})
	require.NoError(t, err)
	for _, open := range []bool{false, true} {
		_, err = s.Inbox(ctx, chat.InboxParams{Viewer: patient.UserID, OpenRequests: open, Limit: 1})
		require.NoError(t, err)
	}
	_, err = s.Claim(ctx, realtime.ClaimParams{Limit: 1})
	require.NoError(t, err)
	require.NoError(t, s.Ack(ctx, 100))
	require.NoError(t, s.AckThrough(ctx, consultation.Channel("none", 1), 1))
	require.NoError(t, s.Nack(ctx, realtime.NackParams{IDs: []int64{100}}))
	require.NoError(t, s.Nack(ctx, realtime.NackParams{IDs: []int64{100}, Park: true}))

	db := plain(t, path)
	uses := map[string][]string{
		"history":       {"USING INDEX murph_messages_seq (consultation_id=? AND seq<?)"},
		"changes":       {"USING INDEX murph_messages_rev (consultation_id=? AND rev>?)", "USING INDEX murph_messages_seq (consultation_id=?)"},
		"inbox":         {"murph_consultations_patient", "murph_consultations_student", "USING COVERING INDEX murph_messages_unread (consultation_id=? AND seq>?)"},
		"requests":      {"USING INDEX murph_consultations_open"},
		"prior message": {"USING INDEX murph_messages_key (consultation_id=? AND sender_id=? AND client_id=?)"},
		"due":           {"USING INDEX murph_outbox_due (due_at<?)"},
		"claim":         {"USING INDEX murph_outbox_due (due_at<?)", "USING INTEGER PRIMARY KEY"},
		"ack through":   {"murph_outbox_channel (consultation_id=? AND rev<?)"},
	}
	for name, text := range texts {
		switch name {
		case "migrate", "schema exists", "schema version":
			continue
		}
		plan := explain(t, db, text)
		require.NotContains(t, plan, "SCAN murph_", "%s:\n%s", name, plan)
		require.NotContains(t, plan, "AUTOMATIC", "%s:\n%s", name, plan)
		for _, index := range uses[name] {
			require.Contains(t, plan, index, "%s:\n%s", name, plan)
		}
		delete(uses, name)
	}
	require.Empty(t, uses, "statements that were not run")
}

// explain returns the plan of a statement, a step to a line. The parameters are NULL: SQLite plans without their values.
func explain(t *testing.T, db *sql.DB, text string) string {
	t.Helper()
	args := make([]any, strings.Count(text, "?"))
	n := 0
	for n < len(args) && strings.Contains(text, "?"+strconv.Itoa(n+1)) {
		n++
	}
	rows, err := db.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+text, args[:n]...)
	require.NoError(t, err, text)
	defer func() { require.NoError(t, rows.Close()) }()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		plan.WriteString(detail + "\n")
	}
	require.NoError(t, rows.Err())
	return plan.String()
}
