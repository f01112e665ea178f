package bunstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// Create implements [consultation.Storage]. On Postgres it is one statement.
func (s *Store) Create(ctx context.Context, p consultation.CreateParams) (c consultation.Consultation, err error) {
	err = s.retry(ctx, func(ctx context.Context) (err error) {
		c, err = s.engine.create(ctx, s, p)
		return err
	})
	if err != nil {
		return consultation.Consultation{}, s.wrap(ctx, "create consultation", err)
	}
	return c, nil
}

// Consultation implements [consultation.Storage] with one statement.
func (s *Store) Consultation(ctx context.Context, id consultation.ID, viewer consultation.UserID) (consultation.Consultation, error) {
	var h header
	found, err := s.row(ctx, s.read, s.engine.reads().consultation, []any{string(id)}, h.dest()...)
	if err != nil {
		return consultation.Consultation{}, s.wrap(ctx, "read consultation", err)
	}
	if !found {
		return consultation.Consultation{}, consultation.ErrNotFound
	}
	c := h.consultation()
	if _, ok := c.Participant(viewer); viewer != "" && !ok {
		return consultation.Consultation{}, consultation.ErrNotParticipant
	}
	return c, nil
}

// Change implements [consultation.Storage] in a short transaction.
func (s *Store) Change(ctx context.Context, p consultation.ChangeParams) (done consultation.Changed, err error) {
	err = s.transact(ctx, func(q conn) (bool, error) {
		before, err := s.engine.lock(ctx, s, q, lockKey{consultation: p.ID})
		if err != nil {
			return false, err
		}
		if !before.found {
			return false, consultation.ErrNotFound
		}
		out, err := p.Apply(before.Consultation, before.now)
		done = consultation.Changed{Outcome: out}
		if err != nil || out.Unchanged {
			return false, err
		}
		done.Announcement = p.Announce(before.Consultation, out.Consultation)
		return true, s.engine.saveChange(ctx, s, q, p, &done)
	})
	if err != nil {
		return consultation.Changed{}, s.wrap(ctx, "change consultation", err)
	}
	return done, nil
}

// Open implements [consultation.Storage] with one statement.
func (s *Store) Open(ctx context.Context, user consultation.UserID) (ids []consultation.ID, err error) {
	err = s.rows(ctx, s.read, s.engine.reads().open, []any{string(user)}, func(rows *sql.Rows) error {
		var id consultation.ID
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return nil, s.wrap(ctx, "read open consultations", err)
	}
	return ids, nil
}

// transact runs fn in a transaction, again when another one was in the way.
func (s *Store) transact(ctx context.Context, fn func(q conn) (keep bool, err error)) error {
	return s.retry(ctx, func(ctx context.Context) error { return s.engine.transact(ctx, s, fn) })
}

// enqueued is an [realtime.Enqueue] as parameters: microseconds of lease, NULL for no entry, and the socket.
func enqueued(e *realtime.Enqueue) (lease, socket any) {
	if e == nil {
		return nil, ""
	}
	return e.Lease.Microseconds(), string(e.Except)
}

// statusReference is what the outbox keeps of a status-update, NULL for none.
func statusReference(u *consultation.StatusUpdate) (any, error) {
	if u == nil {
		return nil, nil
	}
	b, err := json.Marshal(u)
	if err != nil {
		return nil, fmt.Errorf("bunstore: encode status update: %w", err)
	}
	return string(b), nil
}

// requested is the consultation that Create has stored.
func requested(p consultation.CreateParams, at time.Time) consultation.Consultation {
	return consultation.Consultation{
		ID:        p.ID,
		Status:    consultation.StatusRequested,
		Topic:     p.Topic,
		Patient:   p.Patient,
		Rev:       1,
		CreatedAt: at,
		UpdatedAt: at,

		AudienceNumber: 1,
	}
}

// studentID is the assigned student as a parameter.
func studentID(c consultation.Consultation) any {
	if c.Student == nil {
		return nil
	}
	return string(c.Student.UserID)
}

// details are role, names and image of p as parameters, NULL for nobody.
func details(p *consultation.Participant) []any {
	if p == nil {
		return []any{nil, nil, nil, nil}
	}
	return []any{string(p.Role), p.FirstName, p.LastName, p.Image}
}

// optional is t as a parameter, NULL for nil.
func optional(e engine, t *time.Time) any {
	if t == nil {
		return nil
	}
	return e.at(*t)
}
