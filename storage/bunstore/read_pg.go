package bunstore

import (
	"context"
	"database/sql"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// pgMarkRead. $1 consultation, $2 reader, $3 seq, $4 patience. It always gives one row. u waits for another call of the same reader and
// then decides by the mark as it is after the wait; m is the mark as of the statement's beginning. Primary keys only.
var pgMarkRead = `
WITH c AS (
	SELECT least(rev, $3::bigint) AS seq, ($2::text IN (patient_id, student_id)) IS TRUE AS member, patient_id, student_id, audience
	FROM murph_consultations WHERE id = $1::text
), m AS (
	SELECT read_seq, read_at FROM murph_participants WHERE consultation_id = $1::text AND user_id = $2::text
), u AS (
	UPDATE murph_participants SET read_seq = c.seq, read_at = clock_timestamp()
	FROM c WHERE consultation_id = $1::text AND user_id = $2::text AND c.member AND read_seq < c.seq
		AND (SELECT CASE WHEN $4::text IS NULL OR current_setting('lock_timeout') <> '0' THEN ''
			ELSE set_config('lock_timeout', $4::text, true) END) IS NOT NULL
	RETURNING read_seq, read_at
)
SELECT c.seq, c.member, m.read_seq, ` + micros("m.read_at") + `, u.read_seq, ` + micros("u.read_at") + `, c.patient_id, c.student_id, c.audience
FROM (SELECT 1) AS one LEFT JOIN c ON true LEFT JOIN m ON true LEFT JOIN u ON true`

func (postgres) markRead(ctx context.Context, s *Store, p chat.ReadParams) (chat.Marked, error) {
	var (
		wanted, before, after sql.NullInt64
		member                sql.NullBool
		beforeAt, afterAt     stamp
		heard                 listening
	)
	_, err := s.row(ctx, s.write, statement{"mark read", pgMarkRead},
		[]any{string(p.ConsultationID), string(p.Reader), p.Seq, patienceOf(ctx, s)},
		&wanted, &member, &before, &beforeAt, &after, &afterAt, &heard.patient, &heard.student, &heard.number)
	switch {
	case err != nil:
		giveUp(ctx, err)
		return chat.Marked{}, err
	case !wanted.Valid:
		return chat.Marked{}, consultation.ErrNotFound
	case !member.Bool:
		return chat.Marked{}, consultation.ErrNotParticipant
	case after.Valid:
		mark := chat.ReadMark{Seq: after.Int64, At: afterAt.Time}
		return chat.Marked{Mark: mark, Moved: true, Audience: heard.audience()}, nil
	case !before.Valid: // c and m are of one snapshot
		return chat.Marked{}, errNoDetails(p.ConsultationID, p.Reader)
	case before.Int64 < wanted.Int64:
		return chat.Marked{}, failed(errAgain) // another call of the reader was faster, and its mark is not known here
	}
	return chat.Marked{Mark: chat.ReadMark{Seq: before.Int64, At: beforeAt.Time}}, nil
}
