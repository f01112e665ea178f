package integration_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// inboxes are people with lists of different kinds: so many consultations, of which so many are IN_PROGRESS, and so many
// messages in each of those, all unread by the student.
var inboxes = []struct {
	name                          string
	consultations, live, messages int
}{
	{"unread-10", 20, 20, 1},
	{"unread-10000", 20, 20, 500},
	{"unread-1000000", 20, 20, 50_000},
	{"consultations-10", 10, 10, 1},
	{"consultations-10000", 10_000, 10, 1},
	{"consultations-10000-live", 10_000, 10_000, 0},
}

// BenchmarkInbox reads the first page of each of the inboxes. It fills a million rows first, which takes a while.
func BenchmarkInbox(b *testing.B) {
	s := drivers[0].openStore(b, pgtest.Schema(b), 1)
	for _, in := range inboxes {
		for _, statement := range []string{
			`INSERT INTO murph_consultations (id, status, topic, patient_id, student_id, rev, created_at, updated_at, active_at)
			 SELECT '%[1]s-' || n, CASE WHEN n <= %[3]d THEN 'IN_PROGRESS' ELSE 'COMPLETED' END, 'x', 'p-' || n %% 1000, '%[1]s',
			 	%[4]d + 2, t, t, t
			 FROM generate_series(1, %[2]d) n, LATERAL (SELECT now() - n * interval '1 minute' AS t) AS t`,
			`INSERT INTO murph_messages (id, consultation_id, seq, rev, sender_id, client_id, content, created_at)
			 SELECT '%[1]s-' || c || '-' || n, '%[1]s-' || c, n + 2, n + 2, 'p-' || c %% 1000, 'key-' || n, repeat('x', 60), now()
			 FROM generate_series(1, %[3]d) c, generate_series(1, %[4]d) n`,
		} {
			_, err := s.db.DB.Exec(fmt.Sprintf(statement, in.name, in.consultations, in.live, in.messages))
			require.NoError(b, err)
		}
	}
	for _, statement := range []string{
		`INSERT INTO murph_participants (consultation_id, user_id, role, first_name, last_name, image)
		 SELECT id, patient_id, 'PATIENT', 'a', 'b', '' FROM murph_consultations
		 UNION ALL SELECT id, student_id, 'STUDENT', 'a', 'b', '' FROM murph_consultations`,
		`VACUUM ANALYZE murph_consultations, murph_participants, murph_messages`,
	} {
		_, err := s.db.DB.Exec(statement)
		require.NoError(b, err)
	}
	for _, in := range inboxes {
		b.Run(in.name, func(b *testing.B) {
			b.ReportAllocs()
			fastest := time.Hour // tells more than the mean on a busy machine
			for b.Loop() {
				start := time.Now()
				page, err := s.Inbox(b.Context(), chat.InboxParams{Viewer: consultation.UserID(in.name), Limit: 20})
				fastest = min(fastest, time.Since(start))
				require.NoError(b, err)
				require.Len(b, page.Items, min(20, in.consultations))
			}
			b.ReportMetric(float64(fastest.Nanoseconds()), "min-ns/op")
		})
	}
}
