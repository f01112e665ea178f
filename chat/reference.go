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
	// Event is the event's name.
	Event          string
	ConsultationID consultation.ID
	Rev            int64
	// MessageID is set for the events about a message.
	MessageID MessageID
	// Status is set for a status-update.
	Status *consultation.StatusUpdate
	Except realtime.SocketID
}

// Entry turns the reference into what [realtime.Outbox.Claim] returns. c is the consultation and m the message as they
// are now, nil if they are gone or not needed. What cannot be told any more becomes a resync-required.
func (r Reference) Entry(id int64, attempts int, age time.Duration, c *consultation.Consultation, m *Message) (realtime.Entry, error) {
	rev := r.Rev
	if c != nil {
		rev = max(rev, c.Rev)
	}
	resync, err := ResyncRequired(r.ConsultationID, rev)
	if err != nil {
		return realtime.Entry{}, err
	}
	ev, err := r.event(c, m)
	if err != nil {
		return realtime.Entry{}, err
	}
	if ev.Name == "" {
		ev = resync
	}
	if c != nil {
		ev.Audience, resync.Audience = c.Audience(), c.Audience()
	}
	return realtime.Entry{ID: id, Event: ev, Resync: resync, ResyncRev: rev, Attempts: attempts, Age: age}, nil
}

func (r Reference) event(c *consultation.Consultation, m *Message) (realtime.Event, error) {
	switch r.Event {
	case EventNewMessage, EventMessageUpdated, EventMessageDeleted:
		switch {
		case m == nil:
			return realtime.Event{}, nil
		case m.Deleted():
			return MessageEvent(EventMessageDeleted, *m, r.Except)
		}
		return MessageEvent(r.Event, *m, r.Except)
	case consultation.EventStatusUpdate:
		if r.Status == nil {
			return realtime.Event{}, nil
		}
		return consultation.NewStatusUpdate(*r.Status, r.Except), nil
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
