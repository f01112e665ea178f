package consultation

import "time"

// Actor is who asks for a change: a person, under the rules of [Change.Apply], or the host application itself, which may
// do all that the state allows. The zero Actor may change nothing; in [RequestParams] it stands for the patient.
type Actor struct {
	person Participant
	host   bool
}

// Person is the actor for a request of p.
func Person(p Participant) Actor { return Actor{person: p} }

// Host is the actor for what the host application decides by itself.
func Host() Actor { return Actor{host: true} }

// IsHost reports whether the actor is the host application.
func (a Actor) IsHost() bool { return a.host }

// Participant returns the person; the zero Participant for the host.
func (a Actor) Participant() Participant { return a.person }

// Change is a change of status or assignment that has been asked for. Stores carry it to the locked row and call
// [Change.Apply] there.
type Change struct {
	ID ID    // the consultation
	By Actor // who changes it
	// To is the wanted status, or "" for a change of the assignment alone.
	To Status
	// Student is who becomes the assigned student, or nil to leave it.
	Student *Participant
}

// Apply decides about the change. It has no side effects; a store calls it while it holds the lock on c's row and then
// stores what it returns. rev is raised by one; now becomes UpdatedAt.
//
//  1. A student accepts: REQUESTED becomes IN_PROGRESS, with them as the assigned student. A patient may not accept.
//  2. The assigned student completes: IN_PROGRESS becomes COMPLETED.
//  3. The patient and the assigned student cancel: REQUESTED or IN_PROGRESS becomes CANCELLED.
//  4. Only the host assigns another student, and only while IN_PROGRESS.
//  5. The host may make each change that the state allows.
//
// Somebody who has no part in it gets [ErrNotParticipant], a participant without the right [ErrForbidden], and a change
// that does not fit the state a [*ConflictError] with the status as it is. To a student who accepts, a consultation that
// is no longer REQUESTED is a conflict, not an unknown one: that is how they learn that another was faster.
func (ch Change) Apply(c Consultation, now time.Time) (Consultation, error) {
	if err := ch.authorize(&c); err != nil {
		return Consultation{}, err
	}
	switch {
	case ch.Student != nil && ch.To != "" && ch.To != StatusInProgress:
		return Consultation{}, &InvalidError{Field: "student", Reason: "must be given to accept or reassign only"}
	case ch.To == "" && c.Status != StatusInProgress,
		ch.To != "" && !c.Status.CanBecome(ch.To),
		ch.To == StatusInProgress && ch.Student == nil:
		return Consultation{}, &ConflictError{Status: c.Status}
	case ch.Student != nil && ch.Student.UserID == c.Patient.UserID:
		return Consultation{}, &InvalidError{Field: "student", Reason: "must not be the patient"}
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
	return c, nil
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

// Announcement is what there is to tell about a change that was stored. A store keeps one outbox entry for each part
// that is set.
type Announcement struct {
	// Status is set when the status has changed.
	Status *StatusUpdate
	// Assignment says that the assigned student has changed.
	Assignment bool
}

// Announce compares the consultation before and after the change.
func (ch Change) Announce(before, after Consultation) Announcement {
	var a Announcement
	if before.Status != after.Status {
		u := statusUpdate(before.Status, after, ch.By, after.UpdatedAt)
		a.Status = &u
	}
	a.Assignment = studentID(before) != studentID(after)
	return a
}

func studentID(c Consultation) UserID {
	if c.Student == nil {
		return ""
	}
	return c.Student.UserID
}
