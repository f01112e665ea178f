package bunstore

import "github.com/murph-chat/murph/consultation"

// sqliteInbox. ?1 viewer, ?2 status or "", ?3 and ?4 activity and id after which the page begins, ?5 limit.
//
// Plan: murph_consultations_patient and murph_consultations_student, sorted by activity: all consultations of the viewer
// are read, 1.5 µs for each. SQLite compiles the statement anew for each call, so that the parts of pgInbox would make
// every list slower by 0.5 ms, and each send would have to keep up an index on the activity. For each consultation of the
// page the last message is one step backwards in murph_messages_seq, and the unread ones are counted backwards in
// murph_messages_unread alone, no further than chat.Unread goes.
var sqliteInbox = `
WITH c AS (
	SELECT * FROM murph_consultations
	WHERE (patient_id = ?1 OR student_id = ?1) AND (?2 = '' OR status = ?2) AND (active_at, id) < (?3, ?4)
	ORDER BY active_at DESC, id DESC LIMIT ?5
)
SELECT ` + headerColumns + `, c.active_at, (
	SELECT count(*) FROM (
		SELECT 1 FROM (
			SELECT sender_id, deleted_at FROM murph_messages
			WHERE consultation_id = c.id AND seq > CASE WHEN c.patient_id = ?1 THEN pa.read_seq ELSE st.read_seq END
			ORDER BY seq DESC LIMIT ` + unreadWindow + `
		)
		WHERE sender_id <> ?1 AND deleted_at IS NULL LIMIT ` + maxUnread + `
	)
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
