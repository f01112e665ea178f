package bunstore

import "github.com/murph-chat/murph/consultation"

// sqliteInbox. ?1 viewer, ?2 status or "", ?3 and ?4 activity and id after which the page begins, ?5 limit. The plan is
// that of pgInbox, with murph_messages_unread for the unread messages.
const sqliteInbox = `
WITH c AS (
	SELECT * FROM murph_consultations
	WHERE (patient_id = ?1 OR student_id = ?1) AND (?2 = '' OR status = ?2) AND (active_at, id) < (?3, ?4)
	ORDER BY active_at DESC, id DESC LIMIT ?5
)
SELECT ` + headerColumns + `, c.active_at, (
	SELECT count(*) FROM murph_messages u
	WHERE u.consultation_id = c.id AND u.seq > CASE WHEN c.patient_id = ?1 THEN pa.read_seq ELSE st.read_seq END
		AND u.sender_id <> ?1 AND u.deleted_at IS NULL
), ` + textColumns + `, ` + readEpoch + `
FROM (SELECT 1) AS one LEFT JOIN c ON true` + headerPeople + `
LEFT JOIN murph_messages m ON m.consultation_id = c.id
	AND m.seq = (SELECT max(seq) FROM murph_messages WHERE consultation_id = c.id)` + textSender + `
ORDER BY c.active_at DESC, c.id DESC`

// sqliteRequests. ?1 and ?2 activity and id after which the page begins, ?3 limit. Plan: murph_consultations_open
// backwards.
const sqliteRequests = `
WITH c AS (
	SELECT * FROM murph_consultations
	WHERE status = '` + string(consultation.StatusRequested) + `' AND (created_at, id) < (?1, ?2)
	ORDER BY created_at DESC, id DESC LIMIT ?3
)
SELECT ` + headerColumns + `, c.created_at, 0,
	NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ` + readEpoch + `
FROM (SELECT 1) AS one LEFT JOIN c ON true` + headerPeople + `
ORDER BY c.created_at DESC, c.id DESC`
