package bunstore

import (
	"strings"

	"github.com/murph-chat/murph/consultation"
)

// pgInbox. $1 viewer, $2 status or "", $3 and $4 activity and id after which the page begins, $5 limit.
//
// Plan: see pgInboxParts. For each consultation of the page the last message is one step backwards in murph_messages_seq,
// and the unread ones are counted backwards in that index alone, no further than chat.Unread goes.
var pgInbox = `
WITH c AS (
	` + strings.Join(pgInboxParts(), "\n\tUNION ALL\n\t") + `
	ORDER BY activity DESC, id DESC LIMIT (SELECT $5::bigint)
)
SELECT ` + pgHeaderColumns + `, ` + micros("c.activity") + `, n.unread, ` + pgTextColumns + `, ` + readEpoch + `
FROM (SELECT 1) AS one LEFT JOIN c ON true` + headerPeople + `
LEFT JOIN LATERAL (
	SELECT * FROM murph_messages WHERE consultation_id = c.id ORDER BY seq DESC LIMIT 1
) m ON true` + textSender + `
LEFT JOIN LATERAL (
	SELECT count(*) AS unread FROM (
		SELECT FROM (
			SELECT sender_id, deleted_at FROM murph_messages
			WHERE consultation_id = c.id AND seq > CASE WHEN c.patient_id = $1::text THEN pa.read_seq ELSE st.read_seq END
			ORDER BY seq DESC LIMIT (SELECT ` + unreadWindow + `)
		) w
		WHERE sender_id <> $1::text AND deleted_at IS NULL LIMIT (SELECT ` + maxUnread + `)
	) u
) n ON true
ORDER BY c.activity DESC, c.id DESC`

// pgInboxParts are the parts of a person's list, each in the order of the list and no longer than a page, so that the
// number of the others costs nothing. What is over has had its last activity at updated_at and is read along an index. The
// rest, which a person has little of, is sorted by active_at: no index has that, because each send changes it.
//
// Plan: murph_consultations_by_patient and murph_consultations_by_student. The viewer is hidden in a subquery, because a
// planner that knows them to have much takes all of that to be in each status.
func pgInboxParts() (parts []string) {
	const live = `('` + string(consultation.StatusRequested) + `', '` + string(consultation.StatusInProgress) + `')`
	for _, column := range []string{"patient_id", "student_id"} {
		parts = append(parts, `(SELECT *, active_at AS activity FROM murph_consultations
	WHERE `+column+` = (SELECT $1::text) AND status IN `+live+` AND ($2::text = '' OR status = $2::text)
		AND (active_at, id) < ($3::timestamptz, $4::text)
	ORDER BY active_at DESC, id DESC LIMIT (SELECT $5::bigint))`)
		for _, status := range []consultation.Status{consultation.StatusCompleted, consultation.StatusCancelled} {
			over := `'` + string(status) + `'`
			parts = append(parts, `(SELECT *, updated_at FROM murph_consultations
	WHERE `+column+` = (SELECT $1::text) AND status = `+over+` AND $2::text IN ('', `+over+`)
		AND (updated_at, id) < ($3::timestamptz, $4::text)
	ORDER BY updated_at DESC, id DESC LIMIT (SELECT $5::bigint))`)
		}
	}
	return parts
}

// pgRequests. $1 and $2 activity and id after which the page begins, $3 limit. A request has no messages and no activity
// but its creation. Plan: murph_consultations_open backwards.
var pgRequests = `
WITH c AS (
	SELECT * FROM murph_consultations
	WHERE status = '` + string(consultation.StatusRequested) + `' AND (created_at, id) < ($1::timestamptz, $2::text)
	ORDER BY created_at DESC, id DESC LIMIT (SELECT $3::bigint)
)
SELECT ` + pgHeaderColumns + `, ` + micros("c.created_at") + `, 0::bigint, ` + noText + `, ` + readEpoch + `
FROM (SELECT 1) AS one LEFT JOIN c ON true` + headerPeople + `
ORDER BY c.created_at DESC, c.id DESC`

// readEpoch is the epoch, which an empty list has too.
const readEpoch = `(SELECT epoch FROM murph_epoch WHERE id = 1)`

// noText stands in for textColumns where there is no message.
const noText = `NULL::text, NULL::text, NULL::text, NULL::bigint, NULL::bigint, ` +
	`NULL::bigint, NULL::bigint, NULL::bigint, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text`
