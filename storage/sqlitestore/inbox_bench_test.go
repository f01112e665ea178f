package sqlitestore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
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
	s := open(b, nil)
	const numbers = `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %d) `
	exec := func(statement string, args ...any) {
		b.Helper()
		_, err := s.DB().DB.ExecContext(b.Context(), fmt.Sprintf(statement, args...))
		require.NoError(b, err)
	}
	for _, in := range inboxes {
		exec(numbers+`
			INSERT INTO murph_consultations (id, status, topic, patient_id, student_id, rev, created_at, updated_at, active_at)
			SELECT '%[2]s-' || n, iif(n <= %[3]d, 'IN_PROGRESS', 'COMPLETED'), 'x', 'p-' || n %% 1000, '%[2]s', %[4]d + 2,
				1e15 - n, 1e15 - n, 1e15 - n
			FROM numbers`, in.consultations, in.name, in.live, in.messages)
		for c := 1; c <= in.live && in.messages > 0; c++ {
			exec(numbers+`
				INSERT INTO murph_messages (id, consultation_id, seq, rev, sender_id, client_id, content, created_at)
				SELECT '%[2]s-%[3]d-' || n, '%[2]s-%[3]d', n + 2, n + 2, 'p-%[3]d', 'key-' || n, hex(zeroblob(30)), 1e15
				FROM numbers`, in.messages, in.name, c)
		}
	}
	exec(`
		INSERT INTO murph_participants (consultation_id, user_id, role, first_name, last_name, image)
		SELECT id, patient_id, 'PATIENT', 'a', 'b', '' FROM murph_consultations
		UNION ALL SELECT id, student_id, 'STUDENT', 'a', 'b', '' FROM murph_consultations`)
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
