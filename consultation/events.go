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
	EventResyncRequired      = "resync-required"
)

// ReferenceLeft takes the place of an event's name in an outbox entry that stands for the notices of [Left].
const ReferenceLeft = "channel-left"

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

// Resync is the payload of a resync-required: fetch at least up to this rev.
type Resync struct {
	ConsultationID ID    `json:"consultationId"` // the consultation to fetch
	Rev            int64 `json:"rev"`            // 0 if it is not known
}

// thinUpdate is an Update without the person.
type thinUpdate struct {
	ConsultationID ID    `json:"consultationId"`
	Rev            int64 `json:"rev"`
	Thin           bool  `json:"thin"`
}

// NewStatusUpdate returns the event of a changed status, for the audience to. The payload holds ids and states only, so
// an outbox may keep it.
func NewStatusUpdate(u StatusUpdate, to Audience, except realtime.SocketID) realtime.Event {
	return realtime.Event{
		Channel:  Channel(u.ConsultationID, to.Number),
		Name:     EventStatusUpdate,
		Data:     mustJSON(u),
		Audience: to.String(),
		Except:   except,
	}
}

// NewConsultationUpdated returns the event of a changed assignment, from one version of the consultation; rev is that of
// the change.
func NewConsultationUpdated(c Consultation, rev int64, except realtime.SocketID) realtime.Event {
	to := c.Audience()
	return realtime.Event{
		Channel: Channel(c.ID, to.Number),
		Name:    EventConsultationUpdated,
		Data:    mustJSON(Update{ConsultationID: c.ID, Student: c.Student, Rev: rev}),
		Thin:    mustJSON(thinUpdate{ConsultationID: c.ID, Rev: rev, Thin: true}),

		Audience: to.String(),
		Except:   except,
	}
}

// NewResyncRequired returns the event that makes the subscribers of ch, a channel of the consultation, fetch at least up
// to rev; 0 if the rev is not known or not for them.
func NewResyncRequired(id ID, ch realtime.Channel, rev int64) realtime.Event {
	return realtime.Event{
		Channel: ch,
		Name:    EventResyncRequired,
		Data:    mustJSON(Resync{ConsultationID: id, Rev: rev}),
	}
}

// maxLeft is the number of left channels that are told at most, the latest first.
const maxLeft = 16

// Left returns the events for the channels that the consultation has left before the audience of the given number: a
// resync-required each, without a rev and with nothing of what follows, so that pages that still listen there ask for
// the present channel. It goes back 16 audiences at most.
func Left(id ID, audience int) []realtime.Event {
	var events []realtime.Event
	for n := audience - 1; n >= 1 && len(events) < maxLeft; n-- {
		events = append(events, NewResyncRequired(id, Channel(id, n), 0))
	}
	return events
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
