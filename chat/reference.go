package chat

import (
	"fmt"
	"time"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// Reference is what an outbox entry holds instead of an event: ids, numbers and states, never content. So nothing that
// was deleted is broadcast later, and no text lies about in a queue.
type Reference struct {
	// Event is the event's name, or [consultation.ReferenceLeft].
	Event          string
	ConsultationID consultation.ID
	Rev            int64
	// MessageID is set for the events about a message.
	MessageID MessageID
	// Status is set for a status-update.
	Status *consultation.StatusUpdate
	Except realtime.SocketID
}

// Entry returns the reference as [realtime.Outbox.Claim] does. c is the consultation and m the message from one snapshot,
// nil if they are gone or not needed. An event that can no longer be built becomes a resync-required.
func (r Reference) Entry(id int64, attempts int, age time.Duration, c *consultation.Consultation, m *Message) (realtime.Entry, error) {
	rev := r.Rev
	var to consultation.Audience
	if c != nil {
		rev, to = max(rev, c.Rev), c.Audience()
	}
	resync := ResyncRequired(r.ConsultationID, rev, to)
	entry := realtime.Entry{ID: id, Event: resync, Resync: resync, ResyncRev: rev, Attempts: attempts, Age: age}
	if r.Event == consultation.ReferenceLeft {
		entry.Left = consultation.Left(r.ConsultationID, to.Number)
		return entry, nil
	}
	ev, err := r.event(c, m, to)
	if err != nil {
		return realtime.Entry{}, err
	}
	if ev.Name != "" {
		entry.Event = ev
	}
	return entry, nil
}

func (r Reference) event(c *consultation.Consultation, m *Message, to consultation.Audience) (realtime.Event, error) {
	switch r.Event {
	case EventNewMessage, EventMessageUpdated, EventMessageDeleted:
		switch {
		case m == nil || c == nil:
			return realtime.Event{}, nil
		case m.Deleted():
			return MessageEvent(EventMessageDeleted, *m, to, r.Except)
		}
		return MessageEvent(r.Event, *m, to, r.Except)
	case consultation.EventStatusUpdate:
		if r.Status == nil || c == nil {
			return realtime.Event{}, nil
		}
		return consultation.NewStatusUpdate(*r.Status, to, r.Except), nil
	case consultation.EventConsultationUpdated:
		if c == nil {
			return realtime.Event{}, nil
		}
		return consultation.NewConsultationUpdated(*c, r.Rev, r.Except), nil
	case EventResyncRequired:
		return realtime.Event{}, nil
	}
	return realtime.Event{}, fmt.Errorf("chat: outbox reference to an unknown event %q", r.Event)
}
