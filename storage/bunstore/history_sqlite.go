package bunstore

// sqliteHistory. ?1 consultation, ?2 viewer, ?3 seq below which the page ends, ?4 limit. Kinds of rows and plan are those
// of pgHistory. Who may not see the messages has a limit of 0, because SQLite would read all of them for a condition that
// none can meet.
const sqliteHistory = `
WITH c AS (
	SELECT *, coalesce(?2 IN (patient_id, student_id), 0) AS member FROM murph_consultations WHERE id = ?1
)
SELECT 0, id, status, topic, patient_id, student_id, rev, 0, audience, created_at, updated_at, NULL FROM c
UNION ALL
SELECT 1, user_id, role, first_name, last_name, image, read_seq, NULL, NULL, read_at, NULL, NULL
FROM murph_participants WHERE consultation_id = ?1 AND (SELECT member FROM c)
UNION ALL
SELECT * FROM (
	SELECT 2, id, content, client_id, sender_id, NULL, seq, rev, NULL, created_at, edited_at, deleted_at
	FROM murph_messages WHERE consultation_id = ?1 AND seq < ?3
	ORDER BY seq DESC LIMIT coalesce((SELECT iif(member, ?4, 0) FROM c), 0)
)` + sqliteEpoch

// sqliteEpoch adds the epoch.
const sqliteEpoch = `
UNION ALL
SELECT 3, epoch, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL FROM murph_epoch WHERE id = 1`

// sqliteChanges. ?1 consultation, ?2 viewer, ?3 since, ?4 how far behind is too far, ?5 limit, ?6 epoch of ?3 or "". Kinds
// of rows and plan are those of pgChanges.
const sqliteChanges = `
WITH c AS (
	SELECT *, coalesce(?2 IN (patient_id, student_id), 0) AS member,
		?3 > rev OR ?3 < rev - ?4 OR ?6 NOT IN ('', coalesce((SELECT epoch FROM murph_epoch WHERE id = 1), '')) AS reset
	FROM murph_consultations WHERE id = ?1
)
SELECT 0, id, status, topic, patient_id, student_id, rev, reset, audience, created_at, updated_at, NULL FROM c
UNION ALL
SELECT 1, user_id, role, first_name, last_name, image, read_seq, NULL, NULL, read_at, NULL, NULL
FROM murph_participants WHERE consultation_id = ?1 AND (SELECT member FROM c)
UNION ALL
SELECT * FROM (
	SELECT 2, id, content, client_id, sender_id, NULL, seq, rev, NULL, created_at, edited_at, deleted_at
	FROM murph_messages WHERE consultation_id = ?1 AND rev > ?3
	ORDER BY rev LIMIT coalesce((SELECT iif(member AND NOT reset, ?5, 0) FROM c), 0)
)
UNION ALL
SELECT * FROM (
	SELECT 2, id, content, client_id, sender_id, NULL, seq, rev, NULL, created_at, edited_at, deleted_at
	FROM murph_messages WHERE consultation_id = ?1
	ORDER BY seq DESC LIMIT coalesce((SELECT iif(member AND reset, ?5, 0) FROM c), 0)
)` + sqliteEpoch
