package pusherproto

import (
	"encoding/json"

	"github.com/murph-chat/murph/realtime"
)

// ClientFrame is one message of a client (Pusher Channels Protocol, "Events", "Client -> Pusher").
type ClientFrame struct {
	Event   string
	Channel string // of a client event; subscriptions name theirs in Data
	// Data is a JSON value as sent: an object, or a string that contains one. Nil when absent.
	Data json.RawMessage
}

// ParseClientFrame reads a text message strictly: an object with a string "event" of 1 to
// [realtime.MaxEventName] bytes, and nothing that two parsers could read in two ways. Members that the protocol does
// not know are ignored. The error matches [ErrMalformed].
func ParseClientFrame(b []byte) (ClientFrame, error) {
	m, err := Object(b)
	if err != nil {
		return ClientFrame{}, err
	}
	f := ClientFrame{Data: m["data"]}
	if f.Event, err = member(m, "event"); err != nil {
		return ClientFrame{}, err
	}
	if f.Channel, err = member(m, "channel"); err != nil {
		return ClientFrame{}, err
	}
	switch {
	case f.Event == "":
		return ClientFrame{}, malformed("no event")
	case len(f.Event) > realtime.MaxEventName:
		return ClientFrame{}, malformed("the event's name is too long")
	}
	return f, nil
}

// Subscribe is the data of pusher:subscribe, and, with a channel only, of pusher:unsubscribe.
type Subscribe struct {
	Channel     string // not checked yet: [realtime.ParseChannel]
	Auth        string // "<app key>:<signature>", "" for a public channel
	ChannelData string // JSON text exactly as it was signed, "" for none
}

// Subscribe reads the frame's data. Some clients send the object as a string that contains it; both are accepted.
// The error matches [ErrMalformed].
func (f ClientFrame) Subscribe() (Subscribe, error) {
	m, err := f.object()
	if err != nil {
		return Subscribe{}, err
	}
	var s Subscribe
	if s.Channel, err = member(m, "channel"); err != nil {
		return Subscribe{}, err
	}
	if s.Auth, err = member(m, "auth"); err != nil {
		return Subscribe{}, err
	}
	if s.ChannelData, err = member(m, "channel_data"); err != nil {
		return Subscribe{}, err
	}
	if s.Channel == "" {
		return Subscribe{}, malformed("no channel")
	}
	return s, nil
}

// object reads the data, which is an object or a string with one. The string's content has not been looked into by
// the check of the frame, hence the second strict pass.
func (f ClientFrame) object() (map[string]json.RawMessage, error) {
	if len(f.Data) == 0 {
		return nil, malformed("no data")
	}
	inner := []byte(f.Data)
	if inner[0] == '"' {
		var s string
		if err := json.Unmarshal(inner, &s); err != nil {
			return nil, malformed("not JSON")
		}
		inner = []byte(s)
	}
	return Object(inner)
}
