package integration_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// node is a part of a plan, as EXPLAIN (ANALYZE, FORMAT JSON) gives it.
type node struct {
	Type        string  `json:"Node Type"`
	Relation    string  `json:"Relation Name"`
	Index       string  `json:"Index Name"`
	Rows        float64 `json:"Actual Rows"`
	Loops       float64 `json:"Actual Loops"`
	HeapFetches float64 `json:"Heap Fetches"`
	Plans       []node  `json:"Plans"`
}

// flat returns the node and all below it.
func (n node) flat() []node {
	all := []node{n}
	for _, p := range n.Plans {
		all = append(all, p.flat()...)
	}
	return all
}

// fill stores a room with 10,000 messages among fifty others with 200 each, a hundred people's worth of consultations, and
// an outbox, and lets the database look at it all.
func fill(t *testing.T, s *store) {
	t.Helper()
	begin(t, s, room)
	for _, statement := range []string{
		`INSERT INTO murph_consultations (id, status, topic, patient_id, student_id, rev, created_at, updated_at, active_at)
		 SELECT 'other-' || n, CASE WHEN n % 50 = 0 THEN 'REQUESTED' ELSE 'IN_PROGRESS' END, 'x', 'p-' || n % 400,
		 	CASE WHEN n % 50 <> 0 THEN 's-' || n % 40 END, 2, now(), now(), now() - n * interval '1 second'
		 FROM generate_series(1, 4000) n`,
		`INSERT INTO murph_consultations (id, status, topic, patient_id, student_id, rev, created_at, updated_at, active_at)
		 SELECT 'past-' || n, CASE WHEN n % 3 = 0 THEN 'CANCELLED' ELSE 'COMPLETED' END, 'x', 'p-' || n % 400, 'student-1', 2, t, t, t
		 FROM generate_series(1, 4000) n, LATERAL (SELECT now() - n * interval '1 hour' AS t) AS t`,
		`INSERT INTO murph_participants (consultation_id, user_id, role, first_name, last_name, image)
		 SELECT id, patient_id, 'PATIENT', 'a', 'b', '' FROM murph_consultations WHERE id <> 'room'
		 UNION ALL SELECT id, student_id, 'STUDENT', 'a', 'b', '' FROM murph_consultations WHERE student_id IS NOT NULL AND id <> 'room'`,
		`INSERT INTO murph_messages (id, consultation_id, seq, rev, sender_id, client_id, content, created_at)
		 SELECT 'm-' || n, 'room', n + 2, n + 2, 'patient-1', 'key-' || n, repeat('x', 60), now() FROM generate_series(1, 10000) n`,
		`INSERT INTO murph_messages (id, consultation_id, seq, rev, sender_id, client_id, content, created_at)
		 SELECT 'm-' || c || '-' || n, 'other-' || c, n + 2, n + 2, 's-' || c % 40, 'key-' || n, repeat('x', 60), now()
		 FROM generate_series(1, 50) c, generate_series(1, 200) n`,
		`UPDATE murph_consultations SET rev = 10002 WHERE id = 'room'`,
		`INSERT INTO murph_outbox (event, consultation_id, rev, message_id, socket_id, due_at, created_at)
		 SELECT 'new-message', 'other-' || n % 50 + 1, n / 50 + 2, 'm-' || n % 50 + 1 || '-' || n / 50, '',
		 	now() + interval '1 hour' * (n - 80), now()
		 FROM generate_series(50, 9999) n`,
		`VACUUM ANALYZE murph_consultations, murph_participants, murph_messages, murph_outbox`,
	} {
		_, err := s.db.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}

// explain returns the plan of the one statement that contains text and that the connection has prepared, run with the
// arguments and undone.
func explain(t *testing.T, s *store, text, arguments, mode string) []node {
	t.Helper()
	tx, err := s.db.DB.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	var name string
	require.NoError(t, tx.QueryRowContext(t.Context(),
		`SELECT name FROM pg_prepared_statements WHERE position($1 IN statement) > 0`, text).Scan(&name), text)
	_, err = tx.ExecContext(t.Context(), `SET LOCAL plan_cache_mode = `+mode)
	require.NoError(t, err)
	var out []byte
	require.NoError(t, tx.QueryRowContext(t.Context(),
		fmt.Sprintf(`EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE %q(%s)`, name, arguments)).Scan(&out))
	var plan []struct{ Plan node }
	require.NoError(t, json.Unmarshal(out, &plan))
	return plan[0].Plan.flat()
}

// TestPlans looks at how the database runs the statements that run often: by which indexes, and that it reads no more rows
// than it returns. A warm connection uses the generic plan, which must do for all arguments.
func TestPlans(t *testing.T) {
	t.Parallel()
	s := drivers[0].openStore(t, pgtest.Schema(t), 1)
	fill(t, s)
	ctx := t.Context()
	for _, c := range []struct {
		name      string
		call      func() error // prepares the statement
		text      string       // of which this is a part
		arguments string
		indexes   []string // that it uses, of those on messages and the outbox
		indexOnly string   // the one of them that is enough by itself
		maxRows   float64  // that any part of it reads
	}{
		{
			name: "history",
			call: func() error {
				_, err := s.History(ctx, chat.HistoryParams{ConsultationID: room, Viewer: student.UserID, Limit: 50})
				return err
			},
			text: "seq < $3", arguments: `'room', 'student-1', 5000, 51`,
			indexes: []string{"murph_messages_seq"}, maxRows: 55,
		},
		{
			name: "changes",
			call: func() error {
				_, err := s.Changes(ctx, chat.ChangesParams{ConsultationID: room, Viewer: student.UserID, Since: 1, Limit: 50, MaxBehind: 500})
				return err
			},
			text: "AS reset", arguments: `'room', 'student-1', 9990, 500, 51, ''`,
			indexes: []string{"murph_messages_rev", "murph_messages_seq"}, maxRows: 16,
		},
		{
			name: "changes, idle",
			text: "AS reset", arguments: `'room', 'student-1', 10002, 500, 51, ''`,
			indexes: []string{"murph_messages_rev", "murph_messages_seq"}, maxRows: 4,
		},
		{
			name: "changes, reset",
			text: "AS reset", arguments: `'room', 'student-1', 1, 500, 51, ''`,
			indexes: []string{"murph_messages_rev", "murph_messages_seq"}, maxRows: 55,
		},
		{
			name: "inbox",
			call: func() error {
				_, err := s.Inbox(ctx, chat.InboxParams{Viewer: student.UserID, Limit: 50})
				return err
			},
			text: "AS unread", arguments: `'student-1', '', 'infinity', '', 51`,
			indexes: []string{"murph_messages_seq", "murph_messages_seq"}, indexOnly: "murph_messages_seq", maxRows: chat.MaxUnread,
		},
		{
			name: "inbox, later",
			text: "AS unread", arguments: `'student-1', '', now() - interval '1000 hours', '', 51`,
			indexes: []string{"murph_messages_seq", "murph_messages_seq"}, maxRows: 51,
		},
		{
			name: "inbox, own messages",
			text: "AS unread", arguments: `'patient-1', '', 'infinity', '', 51`,
			indexes: []string{"murph_messages_seq", "murph_messages_seq"}, maxRows: chat.UnreadWindow,
		},
		{
			name: "open requests",
			call: func() error {
				_, err := s.Inbox(ctx, chat.InboxParams{Viewer: student.UserID, OpenRequests: true, Limit: 10})
				return err
			},
			text: "(created_at, id) <", arguments: `'infinity', '', 11`,
			indexes: []string{"murph_consultations_open"}, maxRows: 11,
		},
		{
			name: "send",
			call: func() error {
				_, err := s.Append(ctx, message(room, patient, "key"))
				return err
			},
			text: "NOT EXISTS (SELECT FROM k)", arguments: `'room', 'patient-1', 'new', 'new', 'x', 5000000, '', NULL`,
			indexes: []string{"murph_messages_key"}, maxRows: 1,
		},
		{
			name: "claim",
			call: func() error {
				_, err := s.Claim(ctx, realtime.ClaimParams{Limit: 1})
				return err
			},
			text: "SKIP LOCKED", arguments: `10, 5000000`,
			indexes: []string{"murph_messages_pkey", "murph_outbox_due", "murph_outbox_pkey"}, maxRows: 10,
		},
		{
			name: "ack through",
			call: func() error { return s.AckThrough(ctx, consultation.Channel("none", 1), 1) },
			text: "rev <= $2", arguments: `'other-7', 12`,
			indexes: []string{"murph_outbox_channel"}, maxRows: 12,
		},
	} {
		if c.call != nil {
			require.NoError(t, c.call())
		}
		for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
			t.Run(c.name+"/"+mode, func(t *testing.T) {
				var indexes []string
				for _, n := range explain(t, s, c.text, c.arguments, mode) {
					require.NotEqual(t, "Seq Scan", n.Type, "%+v", n)
					require.LessOrEqual(t, n.Rows, c.maxRows, "%+v", n)
					if slices.Contains(c.indexes, n.Index) {
						indexes = append(indexes, n.Index)
					}
					if n.Type == "Index Only Scan" && n.Index == c.indexOnly {
						require.Zero(t, n.HeapFetches)
						c.indexOnly = ""
					}
				}
				slices.Sort(indexes)
				require.Equal(t, c.indexes, indexes)
				require.Empty(t, c.indexOnly, "is not enough by itself")
			})
		}
	}
}

// TestPlansWithoutStatistics reads from a consultation that has grown before the database has looked at the table.
func TestPlansWithoutStatistics(t *testing.T) {
	t.Parallel()
	s := drivers[0].openStore(t, pgtest.Schema(t), 1)
	begin(t, s, room)
	_, err := s.db.ExecContext(t.Context(), `
		INSERT INTO murph_messages (id, consultation_id, seq, rev, sender_id, content, created_at)
		SELECT 'm-' || n, 'room', n + 2, n + 2, 'patient-1', repeat('x', 60), now() FROM generate_series(1, 10000) n`)
	require.NoError(t, err)
	_, err = s.db.ExecContext(t.Context(), `UPDATE murph_consultations SET rev = 10002`)
	require.NoError(t, err)
	_, err = s.History(t.Context(), chat.HistoryParams{ConsultationID: room, Viewer: student.UserID, Limit: 50})
	require.NoError(t, err)
	_, err = s.Changes(t.Context(), chat.ChangesParams{ConsultationID: room, Viewer: student.UserID, Limit: 50, MaxBehind: 500})
	require.NoError(t, err)
	for _, c := range []struct{ text, arguments string }{
		{"seq < $3", `'room', 'student-1', 5000, 51`},
		{"AS reset", `'room', 'student-1', 9700, 500, 51, ''`},
		{"AS reset", `'room', 'student-1', 1, 500, 51, ''`},
	} {
		for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
			for _, n := range explain(t, s, c.text, c.arguments, mode) {
				require.LessOrEqual(t, n.Rows, 55.0, "%s %s: %+v", c.text, mode, n)
			}
		}
	}
}

// TestSendsAreHot counts the updates of the consultation's row that needed no work on an index.
func TestSendsAreHot(t *testing.T) {
	t.Parallel()
	s := drivers[0].openStore(t, pgtest.Schema(t), 1)
	begin(t, s, room)
	tx, err := s.db.BeginTx(t.Context(), &sql.TxOptions{})
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	const sends = 10
	before, hotBefore := updates(t, tx.Tx)
	for range sends {
		send(t, s.With(tx), room, patient)
	}
	after, hotAfter := updates(t, tx.Tx)
	require.Equal(t, sends, after-before)
	require.Equal(t, sends, hotAfter-hotBefore)
}

func updates(t *testing.T, tx *sql.Tx) (all, hot int) {
	t.Helper()
	require.NoError(t, tx.QueryRowContext(t.Context(),
		`SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relid = 'murph_consultations'::regclass`,
	).Scan(&all, &hot))
	return all, hot
}
