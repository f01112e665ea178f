package bunstore

import (
	"context"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// sqliteCreate. ?1 id, ?2 topic, ?3 patient, ?4 now. It gives no row if the id is taken.
const sqliteCreate = `
INSERT INTO murph_consultations (id, status, topic, patient_id, rev, created_at, updated_at, active_at)
VALUES (?1, '` + string(consultation.StatusRequested) + `', ?2, ?3, 1, ?4, ?4, ?4)
ON CONFLICT (id) DO NOTHING
RETURNING rev`

// sqliteParticipant. ?1 consultation, ?2 person, ?3–?6 role, names, image. A read mark stays.
const sqliteParticipant = `
INSERT INTO murph_participants (consultation_id, user_id, role, first_name, last_name, image)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (consultation_id, user_id) DO UPDATE
SET role = excluded.role, first_name = excluded.first_name, last_name = excluded.last_name, image = excluded.image`

// sqliteConsultation. ?1 id. Primary keys only.
const sqliteConsultation = `SELECT ` + headerColumns + ` FROM murph_consultations c` + headerPeople + ` WHERE c.id = ?1`

// sqliteLock and sqliteLockByMessage take the write lock of the database, as every UPDATE does, and change nothing. They
// give the id of the consultation. ?1 id of the consultation, or of a message in it.
const (
	sqliteLock          = `UPDATE murph_consultations SET rev = rev WHERE id = ?1 RETURNING id`
	sqliteLockByMessage = `
UPDATE murph_consultations SET rev = rev WHERE id = (SELECT consultation_id FROM murph_messages WHERE id = ?1) RETURNING id`
)

// sqliteOpen. ?1 user. Plan: murph_consultations_patient and murph_consultations_student.
const sqliteOpen = `
SELECT id FROM murph_consultations
WHERE (patient_id = ?1 OR student_id = ?1)
	AND status IN ('` + string(consultation.StatusRequested) + `', '` + string(consultation.StatusInProgress) + `')`

// sqliteSaveChange. ?1 consultation, ?2 status, ?3 student, ?4 rev, ?5 now, ?6 audience.
const sqliteSaveChange = `
UPDATE murph_consultations SET status = ?2, student_id = ?3, rev = ?4, updated_at = ?5, active_at = ?5, audience = ?6 WHERE id = ?1`

// sqliteEnqueue. ?1 event, ?2 consultation, ?3 rev, ?4 message, ?5 socket, ?6 status-update, ?7 due, ?8 now.
const sqliteEnqueue = `
INSERT INTO murph_outbox (event, consultation_id, rev, message_id, socket_id, status, due_at, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
RETURNING id`

func (e sqlite) create(ctx context.Context, s *Store, p consultation.CreateParams) (c consultation.Consultation, err error) {
	err = e.transact(ctx, s, func(q conn) (bool, error) {
		now := e.now()
		var rev int64
		stored, err := s.row(ctx, q, statement{"create", sqliteCreate},
			[]any{string(p.ID), p.Topic, string(p.Patient.UserID), e.at(now)}, &rev)
		if err != nil {
			return false, err
		}
		if !stored {
			return false, consultation.ErrExists
		}
		c = requested(p, now)
		return true, e.saveParticipant(ctx, s, q, p.ID, p.Patient)
	})
	return c, err
}

func (sqlite) saveParticipant(ctx context.Context, s *Store, q conn, id consultation.ID, p consultation.Participant) error {
	args := append([]any{string(id), string(p.UserID)}, details(&p)...)
	return s.exec(ctx, q, statement{"save participant", sqliteParticipant}, args...)
}

func (e sqlite) lock(ctx context.Context, s *Store, q conn, by lockKey) (locked, error) {
	st, key := statement{"lock", sqliteLock}, string(by.consultation)
	if by.message != "" {
		st, key = statement{"lock by message", sqliteLockByMessage}, string(by.message)
	}
	var id string
	found, err := s.row(ctx, q, st, []any{key}, &id)
	if err != nil || !found {
		return locked{}, err
	}
	var h header
	if _, err := s.row(ctx, q, sqliteReads.consultation, []any{id}, h.dest()...); err != nil {
		return locked{}, err
	}
	return locked{Consultation: h.consultation(), now: e.now(), found: true}, nil
}

func (e sqlite) saveChange(ctx context.Context, s *Store, q conn, p consultation.ChangeParams, done *consultation.Changed) error {
	c := done.Consultation
	err := s.exec(ctx, q, statement{"save change", sqliteSaveChange},
		string(c.ID), string(c.Status), studentID(c), c.Rev, e.at(c.UpdatedAt), c.AudienceNumber)
	if err != nil {
		return err
	}
	if p.Student != nil {
		if err := e.saveParticipant(ctx, s, q, c.ID, *p.Student); err != nil {
			return err
		}
	}
	if p.Enqueue == nil {
		return nil
	}
	ref := chat.Reference{ConsultationID: c.ID, Rev: c.Rev, Except: p.Enqueue.Except}
	if done.Announcement.Status != nil {
		ref.Event, ref.Status = consultation.EventStatusUpdate, done.Announcement.Status
		if done.StatusEntry, err = e.enqueue(ctx, s, q, ref, p.Enqueue.Lease, c.UpdatedAt); err != nil {
			return err
		}
	}
	if done.Announcement.Assignment {
		ref.Event, ref.Status = consultation.EventConsultationUpdated, nil
		if done.AssignmentEntry, err = e.enqueue(ctx, s, q, ref, p.Enqueue.Lease, c.UpdatedAt); err != nil {
			return err
		}
	}
	if done.Announcement.Left != 0 {
		ref.Event, ref.Status, ref.Except = consultation.ReferenceLeft, nil, ""
		done.LeftEntry, err = e.enqueue(ctx, s, q, ref, p.Enqueue.Lease, c.UpdatedAt)
	}
	return err
}

// enqueue writes an outbox entry and returns its id.
func (e sqlite) enqueue(ctx context.Context, s *Store, q conn, r chat.Reference, lease time.Duration, now time.Time) (id int64, err error) {
	status, err := statusReference(r.Status)
	if err != nil {
		return 0, err
	}
	_, err = s.row(ctx, q, statement{"enqueue", sqliteEnqueue}, []any{
		r.Event, string(r.ConsultationID), r.Rev, nullable(r.MessageID), string(r.Except), status,
		e.at(now.Add(lease)), e.at(now),
	}, &id)
	return id, err
}

// enqueueMessage writes an outbox entry about m and returns its id, or 0 if none is wanted.
func (e sqlite) enqueueMessage(ctx context.Context, s *Store, q conn, event string, m chat.Message, enq *realtime.Enqueue, now time.Time) (int64, error) {
	if enq == nil {
		return 0, nil
	}
	ref := chat.Reference{
		Event: event, ConsultationID: m.ConsultationID, Rev: m.Rev, MessageID: m.ID, Except: enq.Except,
	}
	return e.enqueue(ctx, s, q, ref, enq.Lease, now)
}
