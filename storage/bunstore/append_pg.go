package bunstore

import (
	"context"
	"database/sql"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// pgAppend stores a message and all that belongs to it, and tells what became of it, in one row always.
//
// $1 consultation, $2 sender, $3 key or NULL, $4 id, $5 content, $6 lease in microseconds or NULL, $7 socket, $8 patience.
//
// c, p and k are as of the statement's beginning. l waits for the lock on the
// row and then decides by the row as it is after the wait. Everything that
// authorizes is on that row; p and k, which are not, only narrow. If the row has
// changed so that l refuses what c allows, the answer is not known, and the
// statement has to be run again. A message that another call has stored under
// the same key meanwhile makes m fail on murph_messages_key, which undoes u.
//
// u reads the clock when l has the lock, so the message's time is after that of
// every message before it, and active_at is the same time. Plan: primary keys,
// and murph_messages_key for k.
var pgAppend = `
WITH c AS (
	SELECT status, ($2::text IN (patient_id, student_id)) IS TRUE AS member
	FROM murph_consultations WHERE id = $1::text
), p AS (
	SELECT role, first_name, last_name, image
	FROM murph_participants WHERE consultation_id = $1::text AND user_id = $2::text
), k AS (
	SELECT id, content, seq, rev, created_at, edited_at, deleted_at
	FROM murph_messages WHERE consultation_id = $1::text AND sender_id = $2::text AND client_id = $3::text
), l AS (
	SELECT id FROM murph_consultations
	WHERE id = $1::text AND status = '` + string(consultation.StatusInProgress) + `' AND $2::text IN (patient_id, student_id)
		AND EXISTS (SELECT FROM p) AND NOT EXISTS (SELECT FROM k)
		AND (SELECT CASE WHEN $8::text IS NULL OR current_setting('lock_timeout') <> '0' THEN ''
			ELSE set_config('lock_timeout', $8::text, true) END) IS NOT NULL
	FOR NO KEY UPDATE
), u AS (
	UPDATE murph_consultations SET rev = rev + 1, active_at = clock_timestamp()
	WHERE id = (SELECT id FROM l)
	RETURNING rev, active_at, patient_id, student_id, audience
), m AS (
	INSERT INTO murph_messages (id, consultation_id, seq, rev, sender_id, client_id, content, created_at)
	SELECT $4::text, $1::text, rev, rev, $2::text, $3::text, $5::text, active_at FROM u
	RETURNING seq, created_at
), o AS (
	INSERT INTO murph_outbox (event, consultation_id, rev, message_id, socket_id, due_at, created_at)
	SELECT '` + chat.EventNewMessage + `', $1::text, seq, $4::text, $7::text,
		created_at + $6::bigint * interval '1 microsecond', created_at
	FROM m WHERE $6::bigint IS NOT NULL
	RETURNING id
)
SELECT c.status, c.member, p.role, p.first_name, p.last_name, p.image,
	k.id, k.content, k.seq, k.rev, ` + pgColumns("k.created_at, k.edited_at, k.deleted_at") + `,
	m.seq, ` + micros("m.created_at") + `, o.id, u.patient_id, u.student_id, u.audience
FROM (SELECT 1) AS one LEFT JOIN c ON true LEFT JOIN p ON true LEFT JOIN k ON true LEFT JOIN u ON true LEFT JOIN m ON true
	LEFT JOIN o ON true`

// pgRowLock takes the lock and nothing else.
const pgRowLock = `SELECT 1 FROM murph_consultations WHERE id = $1::text FOR NO KEY UPDATE`

func (e postgres) append(ctx context.Context, s *Store, p chat.AppendParams) (chat.Appended, error) {
	if s.bound {
		// A message stored under the same key while the statement waits would end the host's transaction. With the lock
		// held before the statement begins there is none that it does not see.
		var one int
		if _, err := s.row(ctx, s.write, statement{"lock row", pgRowLock}, []any{string(p.ConsultationID)}, &one); err != nil {
			return chat.Appended{}, err
		}
	}
	done, err := e.appendOnce(ctx, s, p)
	if sqlState(err) == codeUniqueViolation && !s.bound {
		// Whoever was faster has committed, or there would be no violation: now it is seen, and if not, then it is the
		// message's id that is taken.
		return e.appendOnce(ctx, s, p)
	}
	return done, err
}

func (postgres) appendOnce(ctx context.Context, s *Store, p chat.AppendParams) (chat.Appended, error) {
	lease, socket := enqueued(p.Enqueue)
	var (
		status     sql.NullString
		member     sql.NullBool
		stored     text
		seq, entry sql.NullInt64
		created    stamp
		heard      listening
	)
	_, err := s.row(ctx, s.write, statement{"append", pgAppend}, []any{
		string(p.ConsultationID), string(p.SenderID), nullable(p.ClientMessageID), string(p.ID), p.Content, lease, socket,
		patienceOf(ctx, s),
	},
		&status, &member, &stored.sender.role, &stored.sender.first, &stored.sender.last, &stored.sender.image,
		&stored.id, &stored.content, &stored.seq, &stored.rev, &stored.created, &stored.edited, &stored.deleted,
		&seq, &created, &entry, &heard.patient, &heard.student, &heard.number)
	if err != nil {
		giveUp(ctx, err)
		return chat.Appended{}, err
	}
	stored.sender.id = sql.NullString{String: string(p.SenderID), Valid: true}
	stored.client = sql.NullString{String: p.ClientMessageID, Valid: true}
	switch {
	case seq.Valid:
		stored.id.String, stored.content.String = string(p.ID), p.Content
		stored.seq, stored.rev, stored.created = seq, seq, created
		return chat.Appended{
			Message: stored.message(p.ConsultationID), Entry: entry.Int64, Audience: heard.audience(),
		}, nil
	case !status.Valid:
		return chat.Appended{}, consultation.ErrNotFound
	case !member.Bool:
		return chat.Appended{}, consultation.ErrNotParticipant
	case stored.id.Valid:
		return p.Replay(stored.message(p.ConsultationID))
	case status.String != string(consultation.StatusInProgress):
		return chat.Appended{}, &consultation.NotActiveError{Status: consultation.Status(status.String)}
	case !stored.sender.role.Valid: // c and p are of one snapshot
		return chat.Appended{}, errNoDetails(p.ConsultationID, p.SenderID)
	}
	return chat.Appended{}, failed(errAgain)
}
