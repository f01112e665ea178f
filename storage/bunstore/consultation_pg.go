package bunstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// pgCreate. $1 id, $2 topic, $3 patient and $4–$7 their details, $8 patience. It gives no row if the id is taken.
var pgCreate = `
WITH c AS (
	INSERT INTO murph_consultations (id, status, topic, patient_id, rev, created_at, updated_at, active_at)
	SELECT $1::text, '` + string(consultation.StatusRequested) + `', $2::text, $3::text, 1, t, t, t FROM clock_timestamp() AS t
	WHERE (SELECT CASE WHEN $8::text IS NULL OR current_setting('lock_timeout') <> '0' THEN ''
		ELSE set_config('lock_timeout', $8::text, true) END) IS NOT NULL
	ON CONFLICT (id) DO NOTHING
	RETURNING created_at
), p AS (
	INSERT INTO murph_participants (consultation_id, user_id, role, first_name, last_name, image)
	SELECT $1::text, $3::text, $4::text, $5::text, $6::text, $7::text FROM c
)
SELECT ` + micros("created_at") + ` FROM c`

// pgConsultation. $1 id. Primary keys only.
var pgConsultation = `SELECT ` + pgHeaderColumns + ` FROM murph_consultations c` + headerPeople + ` WHERE c.id = $1::text`

// pgOpen. $1 user. Plan: a bitmap of murph_consultations_by_patient and murph_consultations_by_student.
const pgOpen = `
SELECT id FROM murph_consultations
WHERE (patient_id = $1::text OR student_id = $1::text)
	AND status IN ('` + string(consultation.StatusRequested) + `', '` + string(consultation.StatusInProgress) + `')`

// pgLock and pgLockByMessage. $1 id of the consultation, or of a message in it. The lock is taken within the common table
// expression, which the planner must not merge with the rest, so the clock is read after the wait.
var (
	pgLock = `
WITH c AS (SELECT * FROM murph_consultations WHERE id = $1::text FOR NO KEY UPDATE)
SELECT ` + pgHeaderColumns + `, ` + micros("clock_timestamp()") + ` FROM c` + headerPeople
	pgLockByMessage = `
WITH c AS (
	SELECT * FROM murph_consultations
	WHERE id = (SELECT consultation_id FROM murph_messages WHERE id = $1::text)
	FOR NO KEY UPDATE
)
SELECT ` + pgHeaderColumns + `, ` + micros("clock_timestamp()") + ` FROM c` + headerPeople
)

// pgSaveChange. $1 consultation, $2 status, $3 student, $4 rev, $5 now, $6–$9 the student's details, NULL if they were not
// given, $10 lease, $11 socket, $12 status-update, $13 whether the assignment is announced, $14 the audience,
// $15 whether an audience was left. The row is locked already.
const pgSaveChange = `
WITH u AS (
	UPDATE murph_consultations
	SET status = $2::text, student_id = $3::text, rev = $4::bigint, updated_at = $5::timestamptz, active_at = $5::timestamptz,
		audience = $14::integer
	WHERE id = $1::text
), p AS (
	INSERT INTO murph_participants (consultation_id, user_id, role, first_name, last_name, image)
	SELECT $1::text, $3::text, $6::text, $7::text, $8::text, $9::text WHERE $6::text IS NOT NULL
	ON CONFLICT (consultation_id, user_id) DO UPDATE
	SET role = excluded.role, first_name = excluded.first_name, last_name = excluded.last_name, image = excluded.image
), s AS (
	INSERT INTO murph_outbox (event, consultation_id, rev, socket_id, status, due_at, created_at)
	SELECT '` + consultation.EventStatusUpdate + `', $1::text, $4::bigint, $11::text, $12::text,
		$5::timestamptz + $10::bigint * interval '1 microsecond', $5::timestamptz
	WHERE $10::bigint IS NOT NULL AND $12::text IS NOT NULL
	RETURNING id
), a AS (
	INSERT INTO murph_outbox (event, consultation_id, rev, socket_id, due_at, created_at)
	SELECT '` + consultation.EventConsultationUpdated + `', $1::text, $4::bigint, $11::text,
		$5::timestamptz + $10::bigint * interval '1 microsecond', $5::timestamptz
	WHERE $10::bigint IS NOT NULL AND $13::boolean
	RETURNING id
), l AS (
	INSERT INTO murph_outbox (event, consultation_id, rev, socket_id, due_at, created_at)
	SELECT '` + consultation.ReferenceLeft + `', $1::text, $4::bigint, '',
		$5::timestamptz + $10::bigint * interval '1 microsecond', $5::timestamptz
	WHERE $10::bigint IS NOT NULL AND $15::boolean
	RETURNING id
)
SELECT (SELECT id FROM s), (SELECT id FROM a), (SELECT id FROM l)`

// pgSaveMessage. $1 consultation, $2 rev, $3 message, $4 content, $5 edited, $6 deleted, $7 event, $8 socket, $9 now,
// $10 lease. The consultation's row is locked already.
const pgSaveMessage = `
WITH u AS (
	UPDATE murph_consultations SET rev = $2::bigint WHERE id = $1::text
), m AS (
	UPDATE murph_messages
	SET rev = $2::bigint, content = $4::text, edited_at = $5::timestamptz, deleted_at = $6::timestamptz
	WHERE id = $3::text
), o AS (
	INSERT INTO murph_outbox (event, consultation_id, rev, message_id, socket_id, due_at, created_at)
	SELECT $7::text, $1::text, $2::bigint, $3::text, $8::text,
		$9::timestamptz + $10::bigint * interval '1 microsecond', $9::timestamptz
	WHERE $10::bigint IS NOT NULL
	RETURNING id
)
SELECT (SELECT id FROM o)`

func (postgres) create(ctx context.Context, s *Store, p consultation.CreateParams) (consultation.Consultation, error) {
	who := p.Patient
	var created stamp
	stored, err := s.row(ctx, s.write, statement{"create", pgCreate}, []any{
		string(p.ID), p.Topic, string(who.UserID), string(who.Role), who.FirstName, who.LastName, who.Image,
		patienceOf(ctx, s),
	}, &created)
	if err != nil {
		giveUp(ctx, err)
		return consultation.Consultation{}, err
	}
	if !stored {
		return consultation.Consultation{}, consultation.ErrExists
	}
	return requested(p, created.Time), nil
}

func (postgres) lock(ctx context.Context, s *Store, q conn, by lockKey) (locked, error) {
	st, key := statement{"lock", pgLock}, string(by.consultation)
	if by.message != "" {
		st, key = statement{"lock by message", pgLockByMessage}, string(by.message)
	}
	var h header
	var now stamp
	found, err := s.row(ctx, q, st, []any{key}, append(h.dest(), &now)...)
	if err != nil || !found {
		return locked{}, err
	}
	if !h.complete() {
		// Who was assigned while the lock was waited for is on the row, but their details are younger than the
		// statement's snapshot. The next statement sees them.
		if _, err := s.row(ctx, q, pgReads.consultation, []any{h.id.String}, h.dest()...); err != nil {
			return locked{}, err
		}
	}
	return locked{Consultation: h.consultation(), now: now.Time, found: true}, nil
}

func (e postgres) saveChange(ctx context.Context, s *Store, q conn, p consultation.ChangeParams, done *consultation.Changed) error {
	c := done.Consultation
	status, err := statusReference(done.Announcement.Status)
	if err != nil {
		return err
	}
	lease, socket := enqueued(p.Enqueue)
	args := []any{string(c.ID), string(c.Status), studentID(c), c.Rev, e.at(c.UpdatedAt)}
	args = append(args, details(p.Student)...)
	args = append(args, lease, socket, status, done.Announcement.Assignment, c.AudienceNumber, done.Announcement.Left != 0)
	var statusEntry, assignmentEntry, leftEntry sql.NullInt64
	_, err = s.row(ctx, q, statement{"save change", pgSaveChange}, args, &statusEntry, &assignmentEntry, &leftEntry)
	done.StatusEntry, done.AssignmentEntry, done.LeftEntry = statusEntry.Int64, assignmentEntry.Int64, leftEntry.Int64
	return err
}

func (e postgres) saveMessage(ctx context.Context, s *Store, q conn, m chat.Message, event string, enq *realtime.Enqueue, now time.Time) (int64, error) {
	lease, socket := enqueued(enq)
	var entry sql.NullInt64
	_, err := s.row(ctx, q, statement{"save message", pgSaveMessage}, []any{
		string(m.ConsultationID), m.Rev, string(m.ID), m.Content, optional(e, m.EditedAt), optional(e, m.DeletedAt),
		event, socket, e.at(now), lease,
	}, &entry)
	return entry.Int64, err
}
