package storagetest

import (
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/murph-chat/murph/chat"
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
	}, {
		name:     "consultation/open",
		contract: consultations,
		clauses: says("Open returns the ids of the consultations that are REQUESTED or IN_PROGRESS and have the user as their " +
			"patient or their assigned student, in any order."),
		run: func(e *env) {
			for _, id := range []consultation.ID{"in-progress", "completed", "replaced", "cancelled"} {
				e.start(id)
			}
			e.create("requested")
			e.change(complete("completed"))
			e.change(cancel("cancelled"))
			e.change(reassign("replaced", other))
			for user, want := range map[consultation.UserID][]consultation.ID{
				patient.UserID:  {"in-progress", "replaced", "requested"},
				student.UserID:  {"in-progress"},
				other.UserID:    {"replaced"},
				stranger.UserID: nil,
			} {
				got, err := e.store.Open(e.ctx, user)
				if err != nil {
					e.Fatalf("Open: %v", err)
				}
				if slices.Sort(got); !slices.Equal(got, want) {
					e.Errorf("Open for %s = %v, want %v", user, got, want)
				}
			}
		},
	}, {
		name:     "consultation/audience",
		contract: consultations,
		clauses:  says("Change locks the consultation's row, calls [Change.Apply] with it and the store's clock, and stores the result"),
		run: func(e *env) {
			e.start(room)
			m := e.send(patient, "to the first student")
			e.change(reassign(room, other))
			if c := e.consultation(); c.AudienceNumber != 2 {
				e.Errorf("Consultation has the audience %d, want 2", c.AudienceNumber)
			}
			if page := e.history(); page.Consultation.AudienceNumber != 2 {
				e.Errorf("History has the audience %d, want 2", page.Consultation.AudienceNumber)
			}
			if changes := e.changes(m.Rev, 10); changes.Consultation.AudienceNumber != 2 {
				e.Errorf("Changes has the audience %d, want 2", changes.Consultation.AudienceNumber)
			}
			inbox, err := e.store.Inbox(e.ctx, chat.InboxParams{Viewer: patient.UserID, Limit: 10})
			if err != nil || len(inbox.Items) != 1 || inbox.Items[0].Consultation.AudienceNumber != 2 {
				e.Errorf("Inbox = %+v, %v, want one consultation with the audience 2", inbox.Items, err)
			}
			want := e.audience()
			if done := e.append(e.message(other, "Guten Tag")); done.Audience != want {
				e.Errorf("Append has the audience %v, want %v", done.Audience, want)
			}
			if done := e.edit(m, "to the second student"); done.Audience != want {
				e.Errorf("Edit has the audience %v, want %v", done.Audience, want)
			}
			if done := e.mark(other, m.Seq); done.Audience != want {
				e.Errorf("MarkRead has the audience %v, want %v", done.Audience, want)
			}
		},
	}}
}
