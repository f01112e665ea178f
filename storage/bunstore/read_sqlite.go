package bunstore

import (
	"context"
	"database/sql"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// sqliteMarkRead. ?1 consultation, ?2 reader, ?3 seq, ?4 now. It gives a row if the mark has moved. Primary keys only.
const sqliteMarkRead = `
UPDATE murph_participants SET read_seq = c.seq, read_at = ?4
FROM (
	SELECT min(rev, ?3) AS seq, coalesce(?2 IN (patient_id, student_id), 0) AS member
	FROM murph_consultations WHERE id = ?1
) AS c
WHERE consultation_id = ?1 AND user_id = ?2 AND c.member AND read_seq < c.seq
RETURNING read_seq, (SELECT patient_id FROM murph_consultations WHERE id = ?1),
	(SELECT student_id FROM murph_consultations WHERE id = ?1), (SELECT audience FROM murph_consultations WHERE id = ?1)`

// sqliteMark. ?1 consultation, ?2 reader. Primary keys only.
const sqliteMark = `
SELECT coalesce(?2 IN (c.patient_id, c.student_id), 0), p.read_seq, p.read_at
FROM murph_consultations c LEFT JOIN murph_participants p ON p.consultation_id = c.id AND p.user_id = ?2
WHERE c.id = ?1`

func (e sqlite) markRead(ctx context.Context, s *Store, p chat.ReadParams) (done chat.Marked, err error) {
	err = e.transact(ctx, s, func(q conn) (bool, error) {
		done = chat.Marked{}
		var heard listening
		now := e.now()
		key := []any{string(p.ConsultationID), string(p.Reader)}
		moved, err := s.row(ctx, q, statement{"mark read", sqliteMarkRead}, append(key, p.Seq, e.at(now)),
			&done.Mark.Seq, &heard.patient, &heard.student, &heard.number)
		if err != nil {
			return false, err
		}
		if moved {
			done.Mark.At, done.Moved, done.Audience = now, true, heard.audience()
			return true, nil
		}
		var member bool
		var seq sql.NullInt64
		var at stamp
		found, err := s.row(ctx, q, statement{"read mark", sqliteMark}, key, &member, &seq, &at)
		switch {
		case err != nil:
			return false, err
		case !found:
			return false, consultation.ErrNotFound
		case !member:
			return false, consultation.ErrNotParticipant
		case !seq.Valid:
			return false, errNoDetails(p.ConsultationID, p.Reader)
		}
		done.Mark = chat.ReadMark{Seq: seq.Int64, At: at.Time}
		return false, nil
	})
	return done, err
}
