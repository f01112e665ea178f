package bunstore

// sqliteHistory. ?1 consultation, ?2 viewer, ?3 seq below which the page ends, ?4 limit. Kinds of rows and plan are those
// of pgHistory.
const sqliteHistory = `
WITH c AS (
	SELECT *, coalesce(?2 IN (patient_id, student_id), 0) AS member FROM murph_consultations WHERE id = ?1
)
SELECT 0, id, status, topic, patient_id, student_id, rev, 0, created_at, updated_at, NULL FROM c
UNION ALL
SELECT 1, user_id, role, first_name, last_name, image, read_seq, NULL, read_at, NULL, NULL
FROM murph_participants WHERE consultation_id = ?1 AND (SELECT member FROM c)
UNION ALL
SELECT * FROM (
	SELECT 2, id, content, client_id, sender_id, NULL, seq, rev, created_at, edited_at, deleted_at
	FROM murph_messages WHERE consultation_id = ?1 AND seq < ?3 AND (SELECT member FROM c)
	ORDER BY seq DESC LIMIT ?4
)`

// sqliteChanges. ?1 consultation, ?2 viewer, ?3 since, ?4 how far behind is too far, ?5 limit. Kinds of rows and plan are
// those of pgChanges.
const sqliteChanges = `
WITH c AS (
	SELECT *, coalesce(?2 IN (patient_id, student_id), 0) AS member, ?3 > rev OR ?3 < rev - ?4 AS reset
	FROM murph_consultations WHERE id = ?1
)
SELECT 0, id, status, topic, patient_id, student_id, rev, reset, created_at, updated_at, NULL FROM c
UNION ALL
SELECT 1, user_id, role, first_name, last_name, image, read_seq, NULL, read_at, NULL, NULL
FROM murph_participants WHERE consultation_id = ?1 AND (SELECT member FROM c)
UNION ALL
SELECT * FROM (
	SELECT 2, id, content, client_id, sender_id, NULL, seq, rev, created_at, edited_at, deleted_at
	FROM murph_messages WHERE consultation_id = ?1 AND rev > ?3 AND (SELECT member AND NOT reset FROM c)
	ORDER BY rev LIMIT ?5
)
UNION ALL
SELECT * FROM (
	SELECT 2, id, content, client_id, sender_id, NULL, seq, rev, created_at, edited_at, deleted_at
	FROM murph_messages WHERE consultation_id = ?1 AND (SELECT member AND reset FROM c)
	ORDER BY seq DESC LIMIT ?5
)`
