package chat

import (
	"encoding/json"
	"fmt"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// The names of the events about messages. Those about the consultation itself are in package consultation.
const (
	EventNewMessage     = "new-message"
	EventMessageUpdated = "message-updated"
	EventMessageDeleted = "message-deleted"
	EventMessagesRead   = "messages-read"
	EventResyncRequired = consultation.EventResyncRequired
)

// maxFull is the size in bytes above which an event goes out thin: below [realtime.MaxEventData], the most that Pusher takes,
// with room for what a transport adds.
const maxFull = 9500

// Thin is the payload of an event without its content: the receiver fetches.
type Thin struct {
	ConsultationID consultation.ID `json:"consultationId"` // where it happened
	ID             MessageID       `json:"id"`             // the message
	Seq            int64           `json:"seq"`            // its place
	Rev            int64           `json:"rev"`            // its version
	Thin           bool            `json:"thin"`
}

// Read is the payload of a messages-read.
type Read struct {
	ConsultationID consultation.ID     `json:"consultationId"` // where it happened
	UserID         consultation.UserID `json:"userId"`         // who has read
	Seq            int64               `json:"seq"`            // up to which message
	At             string              `json:"at"`             // as consultation.FormatTime writes it
}

// Resync is the payload of a resync-required.
type Resync = consultation.Resync

// MessageEvent returns the event about m for the audience to: new-message or message-updated with the message,
// message-deleted with the tombstone. m and to are of one version of the consultation. Above 9,500 bytes the payload is
// [Thin].
func MessageEvent(name string, m Message, to consultation.Audience, except realtime.SocketID) (realtime.Event, error) {
	data, err := json.Marshal(m)
	if err != nil {
		return realtime.Event{}, fmt.Errorf("chat: encode %s: %w", name, err)
	}
	thin, err := json.Marshal(Thin{ConsultationID: m.ConsultationID, ID: m.ID, Seq: m.Seq, Rev: m.Rev, Thin: true})
	if err != nil {
		return realtime.Event{}, fmt.Errorf("chat: encode thin %s: %w", name, err)
	}
	if len(data) > maxFull {
		data = thin
	}
	return realtime.Event{
		Channel:  consultation.Channel(m.ConsultationID, to.Number),
		Name:     name,
		Data:     data,
		Thin:     thin,
		Audience: to.String(),
		Except:   except,
	}, nil
}

// MessagesRead returns the event of a moved read mark, for the audience to.
func MessagesRead(id consultation.ID, reader consultation.UserID, mark ReadMark, to consultation.Audience) (realtime.Event, error) {
	data, err := json.Marshal(Read{ConsultationID: id, UserID: reader, Seq: mark.Seq, At: consultation.FormatTime(mark.At)})
	if err != nil {
		return realtime.Event{}, fmt.Errorf("chat: encode %s: %w", EventMessagesRead, err)
	}
	ch := consultation.Channel(id, to.Number)
	return realtime.Event{Channel: ch, Name: EventMessagesRead, Data: data, Audience: to.String()}, nil
}

// ResyncRequired returns the event that makes the clients of a consultation, in the audience to, catch up.
func ResyncRequired(id consultation.ID, rev int64, to consultation.Audience) realtime.Event {
	ev := consultation.NewResyncRequired(id, consultation.Channel(id, to.Number), rev)
	ev.Audience = to.String()
	return ev
}
