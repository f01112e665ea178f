package consultation

import "time"

// Actor is the source of a change: a person, under the rules of [Change.Apply], or the host application, which may do
// all that the state allows. The zero Actor may change nothing; in [RequestParams] it stands for the patient.
type Actor struct {
	person Participant
	host   bool
}

// Person returns the actor for a request of p.
func Person(p Participant) Actor { return Actor{person: p} }

// Host returns the actor for a decision of the host application.
func Host() Actor { return Actor{host: true} }

// IsHost reports whether the actor is the host application.
func (a Actor) IsHost() bool { return a.host }

// Participant returns the person; the zero Participant for the host.
func (a Actor) Participant() Participant { return a.person }

// Change is a requested change of status, assignment or audience. Stores carry it to the locked row and call
// [Change.Apply] there.
type Change struct {
	ID ID    // the consultation
	By Actor // the source of the change
	// To is the wanted status, or "" to leave it.
	To Status
	// Student is the participant to assign, or nil to leave the assignment.
	Student *Participant
	// NewAudience moves the consultation to a new audience with the same participants, so that nothing more reaches
	// subscriptions that exist now. To and Student are empty then, and only the host may.
	NewAudience bool
}

// Outcome is the result of [Change.Apply].
type Outcome struct {
	Consultation Consultation // after the change
	// Unchanged says that the consultation already was as asked for: nothing is to be stored, and no event is due.
	Unchanged bool
}

// Apply decides about the change. It has no side effects: a store calls it while it holds the lock on c's row and then
// stores the outcome. The rev is raised by one; now becomes UpdatedAt.
//
//  1. A student accepts: REQUESTED becomes IN_PROGRESS, with them as the assigned student. A patient may not accept.
//  2. The assigned student completes: IN_PROGRESS becomes COMPLETED.
//  3. The patient and the assigned student cancel: REQUESTED or IN_PROGRESS becomes CANCELLED.
//  4. Only the host assigns another student, and only while IN_PROGRESS.
//  5. The host may make each change that the state allows.
//  6. A change that has been made already, with the same student where there is one, is Unchanged, and raises no rev.
//  7. A student who takes another's place, and NewAudience while REQUESTED or IN_PROGRESS, raise AudienceNumber by one,
//     up to [MaxAudience], and then give an [*InvalidError].
//
// A person without a part in the consultation gets [ErrNotParticipant], a participant without the right [ErrForbidden],
// and a change that does not fit the state a [*ConflictError] with the present status. For a student who accepts, a
// consultation that is no longer REQUESTED is a conflict, not an unknown one: it tells them that another was faster.
func (ch Change) Apply(c Consultation, now time.Time) (Outcome, error) {
	if err := ch.authorize(&c); err != nil {
		return Outcome{}, err
	}
	switch {
	case ch.Student != nil && ch.To != "" && ch.To != StatusInProgress:
		return Outcome{}, &InvalidError{Field: "student", Reason: "must be given to accept or reassign only"}
	case ch.NewAudience && (ch.To != "" || ch.Student != nil):
		return Outcome{}, &InvalidError{Field: "student", Reason: "must not be given with a new audience"}
	case ch.made(&c):
		return Outcome{Consultation: c, Unchanged: true}, nil
	case ch.NewAudience && c.Status.Final(),
		ch.To == "" && !ch.NewAudience && c.Status != StatusInProgress,
		ch.To != "" && !c.Status.CanBecome(ch.To),
		ch.To == StatusInProgress && ch.Student == nil:
		return Outcome{}, &ConflictError{Status: c.Status}
	case ch.Student != nil && ch.Student.UserID == c.Patient.UserID:
		return Outcome{}, &InvalidError{Field: "student", Reason: "must not be the patient"}
	}
	c.AudienceNumber = max(c.AudienceNumber, 1)
	if ch.NewAudience || ch.replaces(&c) {
		if c.AudienceNumber++; c.AudienceNumber > MaxAudience {
			return Outcome{}, &InvalidError{Field: "student", Reason: "was changed too often in this consultation"}
		}
	}
	if ch.To != "" {
		c.Status = ch.To
	}
	if ch.Student != nil {
		student := *ch.Student
		c.Student = &student
	}
	c.Rev++
	c.UpdatedAt = now
	return Outcome{Consultation: c}, nil
}

// made reports whether c is already as the change wants it.
func (ch Change) made(c *Consultation) bool {
	switch {
	case ch.NewAudience, ch.To == StatusRequested:
		return false
	case ch.To != "" && ch.To != c.Status, ch.To == "" && c.Status != StatusInProgress:
		return false
	}
	if ch.To == StatusInProgress && ch.Student != nil { // a repeated accept may come with other names
		return c.Student != nil && c.Student.UserID == ch.Student.UserID
	}
	return ch.Student == nil || c.Student != nil && *c.Student == *ch.Student
}

// replaces reports whether the change takes the place of the assigned student away.
func (ch Change) replaces(c *Consultation) bool {
	return ch.Student != nil && c.Student != nil && c.Student.UserID != ch.Student.UserID
}

func (ch Change) authorize(c *Consultation) error {
	if ch.By.host {
		return nil
	}
	p := ch.By.person
	_, participant := c.Participant(p.UserID)
	switch ch.To {
	case StatusInProgress:
		if p.Role == RoleStudent && p.UserID != "" && p.UserID != c.Patient.UserID && ch.Student != nil && ch.Student.UserID == p.UserID {
			return nil
		}
	case StatusCompleted:
		if c.Student != nil && c.Student.UserID == p.UserID {
			return nil
		}
	case StatusCancelled:
		if participant {
			return nil
		}
	}
	if participant {
		return ErrForbidden
	}
	return ErrNotParticipant
}

// Announcement lists the events that a stored change needs. A store keeps one outbox entry for each.
type Announcement struct {
	// Status is set when the status has changed.
	Status *StatusUpdate
	// Assignment says that the assigned student, their details or the audience have changed.
	Assignment bool
	// Left is the number of the audience that the change ended, 0 if it ended none. Its channels get a resync-required
	// and nothing more.
	Left int
}

// Announce compares the consultation before and after the change.
func (ch Change) Announce(before, after Consultation) Announcement {
	var a Announcement
	if before.Status != after.Status {
		u := statusUpdate(before.Status, after, ch.By, after.UpdatedAt)
		a.Status = &u
	}
	if left := max(before.AudienceNumber, 1); left != max(after.AudienceNumber, 1) {
		a.Left = left
	}
	a.Assignment = a.Left != 0 || !sameStudent(before.Student, after.Student)
	return a
}

func sameStudent(a, b *Participant) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
