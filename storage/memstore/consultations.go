package memstore

import (
	"context"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// Create implements [consultation.Storage].
func (s *Store) Create(ctx context.Context, p consultation.CreateParams) (consultation.Consultation, error) {
	var c consultation.Consultation
	err := s.update(ctx, func(st *state) error {
		if st.room(p.ID) != nil {
			return consultation.ErrExists
		}
		at := now()
		c = consultation.Consultation{
			ID:        p.ID,
			Status:    consultation.StatusRequested,
			Topic:     p.Topic,
			Patient:   p.Patient,
			Rev:       1,
			CreatedAt: at,
			UpdatedAt: at,

			AudienceNumber: 1,
		}
		st.rooms[p.ID] = &room{head: c, keys: map[key]int{}, reads: map[consultation.UserID]chat.ReadMark{}}
		return nil
	})
	return c, err
}

// Consultation implements [consultation.Storage].
func (s *Store) Consultation(ctx context.Context, id consultation.ID, viewer consultation.UserID) (consultation.Consultation, error) {
	var c consultation.Consultation
	err := s.view(ctx, func(st *state) error {
		r := st.room(id)
		if r == nil {
			return consultation.ErrNotFound
		}
		if viewer != "" {
			if _, ok := r.head.Participant(viewer); !ok {
				return consultation.ErrNotParticipant
			}
		}
		c = r.header()
		return nil
	})
	return c, err
}

// Change implements [consultation.Storage].
func (s *Store) Change(ctx context.Context, p consultation.ChangeParams) (consultation.Changed, error) {
	var done consultation.Changed
	err := s.update(ctx, func(st *state) error {
		r := st.room(p.ID)
		if r == nil {
			return consultation.ErrNotFound
		}
		before := r.head
		out, err := p.Apply(before, now())
		if err != nil {
			return err
		}
		if out.Unchanged {
			done.Outcome = consultation.Outcome{Consultation: r.header(), Unchanged: true}
			return nil
		}
		after := out.Consultation
		r = st.edit(p.ID)
		r.head = after
		done.Consultation = r.header()
		done.Announcement = p.Announce(before, after)
		if u := done.Announcement.Status; u != nil {
			done.StatusEntry = s.enqueue(st, p.Enqueue, chat.Reference{
				Event:          consultation.EventStatusUpdate,
				ConsultationID: p.ID,
				Rev:            after.Rev,
				Status:         clonePtr(u),
			})
		}
		if done.Announcement.Assignment {
			done.AssignmentEntry = s.enqueue(st, p.Enqueue, chat.Reference{
				Event:          consultation.EventConsultationUpdated,
				ConsultationID: p.ID,
				Rev:            after.Rev,
			})
		}
		if done.Announcement.Left != 0 {
			done.LeftEntry = s.enqueue(st, p.Enqueue, chat.Reference{
				Event:          consultation.ReferenceLeft,
				ConsultationID: p.ID,
				Rev:            after.Rev,
			})
		}
		return nil
	})
	return done, err
}

// Open implements [consultation.Storage].
func (s *Store) Open(ctx context.Context, user consultation.UserID) ([]consultation.ID, error) {
	var ids []consultation.ID
	err := s.view(ctx, func(st *state) error {
		st.all(func(r *room) {
			if _, ok := r.head.Participant(user); ok && !r.head.Status.Final() {
				ids = append(ids, r.head.ID)
			}
		})
		return nil
	})
	return ids, err
}

// visible returns the consultation if the person may read it at this moment.
func (st *state) visible(id consultation.ID, user consultation.UserID) (*room, error) {
	r := st.room(id)
	if r == nil {
		return nil, consultation.ErrNotFound
	}
	if _, ok := r.head.Participant(user); !ok {
		return nil, consultation.ErrNotParticipant
	}
	return r, nil
}
