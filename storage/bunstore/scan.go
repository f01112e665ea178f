package bunstore

import (
	"database/sql"
	"fmt"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// stamp reads a nullable time in microseconds since 1970, which is what SQLite
// stores and what micros makes of a time of Postgres.
type stamp struct {
	time.Time
	valid bool
}

// Scan implements [sql.Scanner].
func (s *stamp) Scan(src any) error {
	switch src := src.(type) {
	case nil:
		*s = stamp{}
	case int64:
		*s = stamp{time.UnixMicro(src).UTC(), true}
	default:
		return fmt.Errorf("a time came as %T", src)
	}
	return nil
}

// pointer returns nil for NULL.
func (s *stamp) pointer() *time.Time {
	if !s.valid {
		return nil
	}
	t := s.Time
	return &t
}

// person is a row of murph_participants, or the NULLs of an outer join.
type person struct{ id, role, first, last, image sql.NullString }

func (p *person) dest() []any { return []any{&p.id, &p.role, &p.first, &p.last, &p.image} }

func (p *person) participant() consultation.Participant {
	return consultation.Participant{
		UserID:    consultation.UserID(p.id.String),
		Role:      consultation.Role(p.role.String),
		FirstName: p.first.String,
		LastName:  p.last.String,
		Image:     p.image.String,
	}
}

// header is a row of murph_consultations with its people. All fields are nullable, for outer joins.
type header struct {
	id, status, topic sql.NullString
	rev, audience     sql.NullInt64
	created, updated  stamp
	patient, student  person
}

// dest is in the order of headerColumns.
func (h *header) dest() []any {
	d := []any{&h.id, &h.status, &h.topic, &h.rev, &h.audience, &h.created, &h.updated}
	return append(append(d, h.patient.dest()...), h.student.dest()...)
}

// headerColumns reads c, murph_consultations, with its people pa and st. The ids come from c, so that somebody whose
// details are missing is noticed.
const (
	headerColumns = `c.id, c.status, c.topic, c.rev, c.audience, c.created_at, c.updated_at, ` +
		`c.patient_id, pa.role, pa.first_name, pa.last_name, pa.image, ` +
		`c.student_id, st.role, st.first_name, st.last_name, st.image`
	headerPeople = ` LEFT JOIN murph_participants pa ON pa.consultation_id = c.id AND pa.user_id = c.patient_id` +
		` LEFT JOIN murph_participants st ON st.consultation_id = c.id AND st.user_id = c.student_id`
)

// complete reports whether the details of everybody were found.
func (h *header) complete() bool {
	return h.patient.role.Valid && (!h.student.id.Valid || h.student.role.Valid)
}

func (h *header) consultation() consultation.Consultation {
	c := consultation.Consultation{
		ID:        consultation.ID(h.id.String),
		Status:    consultation.Status(h.status.String),
		Topic:     h.topic.String,
		Patient:   h.patient.participant(),
		Rev:       h.rev.Int64,
		CreatedAt: h.created.Time,
		UpdatedAt: h.updated.Time,

		AudienceNumber: int(h.audience.Int64),
	}
	if h.student.id.Valid {
		student := h.student.participant()
		c.Student = &student
	}
	return c
}

// text is a row of murph_messages, without the consultation's id, with the sender's details.
type text struct {
	id, content, client sql.NullString
	seq, rev            sql.NullInt64
	created             stamp
	edited, deleted     stamp
	sender              person
}

// dest is in the order of textColumns.
func (t *text) dest() []any {
	d := []any{&t.id, &t.content, &t.client, &t.seq, &t.rev, &t.created, &t.edited, &t.deleted}
	return append(d, t.sender.dest()...)
}

// textColumns reads m, murph_messages, with its sender se.
const (
	textColumns = `m.id, m.content, m.client_id, m.seq, m.rev, m.created_at, m.edited_at, m.deleted_at, ` +
		`m.sender_id, se.role, se.first_name, se.last_name, se.image`
	textSender = ` LEFT JOIN murph_participants se ON se.consultation_id = m.consultation_id AND se.user_id = m.sender_id`
)

func (t *text) message(id consultation.ID) chat.Message {
	return chat.Message{
		ID:              chat.MessageID(t.id.String),
		ConsultationID:  id,
		SenderID:        consultation.UserID(t.sender.id.String),
		Content:         t.content.String,
		CreatedAt:       t.created.Time,
		Sender:          t.sender.participant(),
		Seq:             t.seq.Int64,
		Rev:             t.rev.Int64,
		ClientMessageID: t.client.String,
		EditedAt:        t.edited.pointer(),
		DeletedAt:       t.deleted.pointer(),
	}
}

// nullable makes a parameter of s that is NULL for "".
func nullable[T ~string](s T) any {
	if s == "" {
		return nil
	}
	return string(s)
}
