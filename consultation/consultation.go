package consultation

import (
	"encoding/json"
	"time"
)

// Consultation is the meeting of one patient and, once accepted, one student. Its JSON form is what the HTTP interface
// answers.
type Consultation struct {
	ID      ID           `json:"id"`                // never changes
	Status  Status       `json:"status"`            // where it stands
	Topic   string       `json:"topic"`             // what it is about, as the patient put it
	Patient Participant  `json:"patient"`           // who has requested it
	Student *Participant `json:"student,omitempty"` // nil until accepted
	// Rev counts the visible changes: of the status, of the assignment and of every message. The first state has 1.
	Rev int64 `json:"rev"`
	// AudienceNumber is the number of the consultation's [Audience], from 1. A second and every further assignment
	// raises it.
	AudienceNumber int `json:"-"`

	CreatedAt time.Time `json:"createdAt"` // UTC, microseconds, by the store's clock
	UpdatedAt time.Time `json:"updatedAt"` // time of the last change of status or assignment
}

// MarshalJSON writes times as RFC 3339 in UTC with microseconds.
func (c Consultation) MarshalJSON() ([]byte, error) {
	type plain Consultation
	return json.Marshal(struct {
		plain
		CreatedAt string `json:"createdAt"`
		UpdatedAt string `json:"updatedAt"`
	}{plain(c), FormatTime(c.CreatedAt), FormatTime(c.UpdatedAt)})
}

// FormatTime writes t as it stands in every answer and event: RFC 3339, UTC, always six decimals.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// Participant returns the patient or the assigned student by id. Somebody who was replaced is no participant.
func (c *Consultation) Participant(id UserID) (Participant, bool) {
	switch {
	case id == "":
	case c.Patient.UserID == id:
		return c.Patient, true
	case c.Student != nil && c.Student.UserID == id:
		return *c.Student, true
	}
	return Participant{}, false
}

// Audience returns the users who may listen to the consultation now.
func (c *Consultation) Audience() Audience {
	var student UserID
	if c.Student != nil {
		student = c.Student.UserID
	}
	return NewAudience(c.AudienceNumber, c.Patient.UserID, student)
}

// Open returns what students who are not part of it see of a requested consultation: the topic and the patient's first
// name.
func (c Consultation) Open() Consultation {
	c.Patient = Participant{Role: c.Patient.Role, FirstName: c.Patient.FirstName}
	return c
}
