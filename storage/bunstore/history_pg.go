package bunstore

// pgHistory. $1 consultation, $2 viewer, $3 seq below which the page ends, $4 limit.
//
// The kinds of rows share their columns:
//
//	0  id       status   topic      patient_id  student_id  rev       reset  audience  created_at  updated_at  -
//	1  user_id  role     first_name last_name   image       read_seq  -      -         read_at     -           -
//	2  id       content  client_id  sender_id   -           seq       rev    -         created_at  edited_at   deleted_at
//	3  epoch    -        -          -           -           xid       -      -         -           -           -
//
// A viewer who is no member gets the first kind only, which is enough to refuse them. The limit is hidden in a subquery:
// a planner that knows it, and takes the consultation to be shorter, would read and sort all of it. Plan: primary keys,
// and for the messages murph_messages_seq backwards.
var pgHistory = `
WITH c AS (
	SELECT *, ($2::text IN (patient_id, student_id)) IS TRUE AS member FROM murph_consultations WHERE id = $1::text
)
SELECT 0, id, status, topic, patient_id, student_id, rev, 0::bigint, audience, ` + pgColumns(`created_at, updated_at`) + `, NULL::bigint FROM c
UNION ALL
SELECT 1, user_id, role, first_name, last_name, image, read_seq, NULL, NULL, ` + micros("read_at") + `, NULL, NULL
FROM murph_participants WHERE consultation_id = $1::text AND (SELECT member FROM c)
UNION ALL
SELECT 2, m.* FROM (
	SELECT id, content, client_id, sender_id, NULL::text, seq, rev, NULL::bigint, ` + pgColumns(`created_at, edited_at, deleted_at`) + `
	FROM murph_messages WHERE consultation_id = $1::text AND seq < $3::bigint AND (SELECT member FROM c)
	ORDER BY seq DESC LIMIT (SELECT $4::bigint)
) m` + pgEpoch

// pgEpoch adds the epoch, and the lowest transaction number that the snapshot knows not to be given yet.
const pgEpoch = `
UNION ALL
SELECT 3, epoch, NULL, NULL, NULL, NULL, txid_snapshot_xmax(txid_current_snapshot()), NULL, NULL, NULL, NULL, NULL
FROM murph_epoch WHERE id = 1`

// pgChanges. $1 consultation, $2 viewer, $3 since, $4 how far behind is too far, $5 limit, $6 epoch of $3 or "". The kinds
// of rows are those of pgHistory; of the two parts that read messages only one runs. Plan: primary keys, and for the messages
// murph_messages_rev, or after a reset murph_messages_seq backwards.
var pgChanges = `
WITH c AS (
	SELECT *, ($2::text IN (patient_id, student_id)) IS TRUE AS member,
		$3::bigint > rev OR $3::bigint < rev - $4::bigint
			OR $6::text NOT IN ('', coalesce((SELECT epoch FROM murph_epoch WHERE id = 1), '')) AS reset
	FROM murph_consultations WHERE id = $1::text
)
SELECT 0, id, status, topic, patient_id, student_id, rev, reset::int::bigint, audience, ` + pgColumns(`created_at, updated_at`) + `, NULL::bigint FROM c
UNION ALL
SELECT 1, user_id, role, first_name, last_name, image, read_seq, NULL, NULL, ` + micros("read_at") + `, NULL, NULL
FROM murph_participants WHERE consultation_id = $1::text AND (SELECT member FROM c)
UNION ALL
SELECT 2, m.* FROM (
	SELECT id, content, client_id, sender_id, NULL::text, seq, rev, NULL::bigint, ` + pgColumns(`created_at, edited_at, deleted_at`) + `
	FROM murph_messages WHERE consultation_id = $1::text AND rev > $3::bigint AND (SELECT member AND NOT reset FROM c)
	ORDER BY rev LIMIT (SELECT $5::bigint)
) m
UNION ALL
SELECT 2, m.* FROM (
	SELECT id, content, client_id, sender_id, NULL::text, seq, rev, NULL::bigint, ` + pgColumns(`created_at, edited_at, deleted_at`) + `
	FROM murph_messages WHERE consultation_id = $1::text AND (SELECT member AND reset FROM c)
	ORDER BY seq DESC LIMIT (SELECT $5::bigint)
) m` + pgEpoch
