package storagetest

import (
	"database/sql"
	"errors"
	"strings"

	"github.com/murph-chat/murph/consultation"
)

func consultationCases() []testCase {
	return []testCase{{
		name:     "create/stored",
		contract: consultations,
		clauses: says(
			"Create stores a consultation with status REQUESTED, no student and rev 1, and returns it with the times that the store's clock gave it.",
			"What is returned was committed",
		),
		run: func(e *env) {
			c := e.create(room)
			if c.ID != room || c.Status != consultation.StatusRequested || c.Student != nil || c.Rev != 1 || c.Topic != "Rückenschmerzen" {
				e.Errorf("Create = %+v, want %s, REQUESTED, no student, rev 1 and the topic", c, room)
			}
			e.same("the patient", c.Patient, patient)
			e.isTime("CreatedAt", c.CreatedAt)
			e.isTime("UpdatedAt", c.UpdatedAt)
			e.same("the consultation as read", e.consultation(), c)
			if b := e.backlog(); b.Pending != 0 {
				e.Errorf("Create has written %d outbox entries, want none", b.Pending)
			}
		},
	}, {
		name:     "create/taken",
		contract: consultations,
		clauses:  says("An id that is taken gives [ErrExists]."),
		run: func(e *env) {
			e.start(room)
			unchanged := e.unchanged()
			_, err := e.store.Create(e.ctx, consultation.CreateParams{ID: room, Topic: "another", Patient: other})
			e.isErr("Create with an id that is taken", err, consultation.ErrExists)
			unchanged()
		},
	}, {
		name:     "create/limits",
		contract: consultations,
		clauses:  says("Create stores a consultation"),
		run: func(e *env) {
			p := consultation.CreateParams{
				ID:    consultation.ID(strings.Repeat("-_=@,.;A", 16)),
				Topic: strings.Repeat("𝄞", 500),
				Patient: consultation.Participant{
					UserID:    consultation.UserID(strings.Repeat("=@,.;0_-", 16)),
					Role:      consultation.Role(strings.Repeat("R", 32)),
					FirstName: strings.Repeat("𝄞", 200),
					LastName:  "O'Brien \\ \"?\" $1 {} % \x01\n",
					Image:     "https://example.org/" + strings.Repeat("x", 2028),
				},
			}
			made, err := e.store.Create(e.ctx, p)
			if err != nil {
				e.Fatalf("Create: %v", err)
			}
			if made.ID != p.ID || made.Topic != p.Topic || made.Patient != p.Patient {
				e.Errorf("Create = %+v, want the longest values unharmed", made)
			}
			read, err := e.store.Consultation(e.ctx, p.ID, p.Patient.UserID)
			if err != nil {
				e.Fatalf("Consultation: %v", err)
			}
			e.same("the consultation as read", read, made)
		},
	}, {
		name:     "consultation/viewers",
		contract: consultations,
		clauses: says(
			"Consultation returns the consultation if viewer is its patient or its assigned student at this moment.",
			`A viewer of "" is the host application, which sees all.`,
		),
		run: func(e *env) {
			want := e.start(room)
			for _, viewer := range []consultation.UserID{patient.UserID, student.UserID, ""} {
				got, err := e.store.Consultation(e.ctx, room, viewer)
				if err != nil {
					e.Errorf("Consultation for %q: %v", viewer, err)
					continue
				}
				e.same("the consultation for "+string(viewer), got, want)
			}
		},
	}, {
		name:     "consultation/refused",
		contract: consultations,
		clauses:  says("Otherwise it returns [ErrNotParticipant], and [ErrNotFound] if there is none."),
		run: func(e *env) {
			e.start(room)
			e.create("requested")
			e.change(reassign(room, other))
			for _, c := range []struct {
				what   string
				id     consultation.ID
				viewer consultation.UserID
			}{
				{"a stranger", room, stranger.UserID},
				{"a student who was replaced", room, student.UserID},
				{"a student before anybody has accepted", "requested", student.UserID},
				{"somebody whose id differs in case", room, "Patient-1"},
			} {
				_, err := e.store.Consultation(e.ctx, c.id, c.viewer)
				e.isErr("Consultation for "+c.what, err, consultation.ErrNotParticipant)
			}
			for _, viewer := range []consultation.UserID{patient.UserID, ""} {
				_, err := e.store.Consultation(e.ctx, "unknown", viewer)
				e.isErr("Consultation with an unknown id", err, consultation.ErrNotFound)
				if errors.Is(err, consultation.ErrNotParticipant) {
					e.Errorf("Consultation with an unknown id: the error is %v, want ErrNotFound itself", err)
				}
				if errors.Is(err, sql.ErrNoRows) {
					e.Error("Consultation with an unknown id: the error of the driver comes through")
				}
			}
		},
	}}
}
