package consultation

import (
	"encoding/json"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// The names of the events about a consultation.
const (
	EventStatusUpdate        = "status-update"
	EventConsultationUpdated = "consultation-updated"
)

// StatusUpdate is the payload of a status-update.
type StatusUpdate struct {
	ConsultationID ID     `json:"consultationId"` // where it happened
	Status         Status `json:"status"`
	PreviousStatus Status `json:"previousStatus"` // before the change
	Rev            int64  `json:"rev"`            // of the change
	// By is the person who changed it, or "" for the host application.
	By UserID `json:"by,omitempty"`
	At string `json:"at"` // as FormatTime writes it
}

// Update is the payload of a consultation-updated: who is assigned now.
type Update struct {
	ConsultationID ID           `json:"consultationId"`    // where it happened
	Student        *Participant `json:"student,omitempty"` // who is assigned now, nil for nobody
	Rev            int64        `json:"rev"`               // of the change
}

// thinUpdate is an Update without the person.
type thinUpdate struct {
	ConsultationID ID    `json:"consultationId"`
	Rev            int64 `json:"rev"`
	Thin           bool  `json:"thin"`
}

// NewStatusUpdate builds the event of a status that has changed. The payload holds ids and states only, so it is also
// what an outbox may keep. The caller sets the audience.
func NewStatusUpdate(u StatusUpdate, except realtime.SocketID) realtime.Event {
	return realtime.Event{Channel: Channel(u.ConsultationID), Name: EventStatusUpdate, Data: mustJSON(u), Except: except}
}

// NewConsultationUpdated builds the event of an assignment that has changed, from the consultation as it is now; rev is
// the one of the change.
func NewConsultationUpdated(c Consultation, rev int64, except realtime.SocketID) realtime.Event {
	return realtime.Event{
		Channel: Channel(c.ID),
		Name:    EventConsultationUpdated,
		Data:    mustJSON(Update{ConsultationID: c.ID, Student: c.Student, Rev: rev}),
		Thin:    mustJSON(thinUpdate{ConsultationID: c.ID, Rev: rev, Thin: true}),

		Audience: c.Audience(),
		Except:   except,
	}
}

// statusUpdate describes the step from the status before to c.
func statusUpdate(before Status, c Consultation, by Actor, at time.Time) StatusUpdate {
	return StatusUpdate{
		ConsultationID: c.ID,
		Status:         c.Status,
		PreviousStatus: before,
		Rev:            c.Rev,
		By:             by.person.UserID,
		At:             FormatTime(at),
	}
}

// mustJSON encodes types of this package, all of which encode.
func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
