package bunstore

import "github.com/murph-chat/murph/consultation"

// pgInbox. $1 viewer, $2 status or "", $3 and $4 activity and id after which the page begins, $5 limit.
//
// Plan: a bitmap of murph_consultations_patient and murph_consultations_student, sorted by activity, because an index on
// the activity would have to be kept up with every send. For each consultation of the page the last message is one step
// backwards in murph_messages_seq, and the unread ones are counted in that index alone.
var pgInbox = `
WITH c AS (
	SELECT * FROM murph_consultations
	WHERE (patient_id = $1::text OR student_id = $1::text)
		AND ($2::text = '' OR status = $2::text)
		AND (active_at, id) < ($3::timestamptz, $4::text)
	ORDER BY active_at DESC, id DESC LIMIT $5::bigint
)
SELECT ` + pgHeaderColumns + `, ` + micros("c.active_at") + `, n.unread, ` + pgTextColumns + `, ` + readEpoch + `
FROM (SELECT 1) AS one LEFT JOIN c ON true` + headerPeople + `
LEFT JOIN LATERAL (
	SELECT * FROM murph_messages WHERE consultation_id = c.id ORDER BY seq DESC LIMIT 1
) m ON true` + textSender + `
LEFT JOIN LATERAL (
	SELECT count(*) AS unread FROM murph_messages
	WHERE consultation_id = c.id AND seq > CASE WHEN c.patient_id = $1::text THEN pa.read_seq ELSE st.read_seq END
		AND sender_id <> $1::text AND deleted_at IS NULL
) n ON true
ORDER BY c.active_at DESC, c.id DESC`

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
