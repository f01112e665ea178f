package realtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"
)

// Limits of an event, as hosted Pusher Channels sets them (HTTP API reference, "POST event"). Every transport keeps to
// them, so that a test in memory does not pass what production refuses.
const (
	MaxEventName = 200   // bytes
	MaxEventData = 10240 // bytes of encoded payload
)

// ErrInvalidEvent is matched by the errors of [Event.Validate].
var ErrInvalidEvent = errors.New("realtime: invalid event")

// Event is one message on its way to the subscribers of one channel. It is a value: whoever receives one must not
// change the bytes it points to.
type Event struct {
	Channel Channel // where it goes
	Name    string  // what has happened, like "new-message"
	// Data is the payload, encoded once for all receivers.
	Data json.RawMessage
	// Thin is the same event with ids and numbers only, for a transport that may not, or cannot, carry Data; a receiver
	// of it fetches the rest. Nil means that Data is free of content already.
	Thin json.RawMessage
	// Audience holds the ids of the users who may read the event, separated by spaces, or "" for an event without
	// content. A word that begins with "#" is no id: it tells apart two audiences of the same users. The channel's name already keeps others out: it changes with the audience. A transport that was told to
	// use fixed names delivers by this field instead.
	Audience string
	// Except is the one connection that does not get the event, or "".
	Except SocketID
}

// Validate reports what a transport would refuse: a channel name outside the charset, a missing or too long event
// name, a name of the protocol's own, data that is not JSON or above [MaxEventData], a name or data that is not UTF-8
// (a browser ends its connection over a text frame that is not). The error matches [ErrInvalidEvent], and
// [ErrTooLarge] where size is the reason.
func (e Event) Validate() error {
	if _, err := ParseChannel(string(e.Channel)); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidEvent, err)
	}
	switch {
	case e.Name == "":
		return fmt.Errorf("%w: it has no name", ErrInvalidEvent)
	case len(e.Name) > MaxEventName:
		return fmt.Errorf("%w: a name of %d bytes is more than %d", ErrInvalidEvent, len(e.Name), MaxEventName)
	case strings.HasPrefix(e.Name, "pusher:"), strings.HasPrefix(e.Name, "pusher_internal:"):
		return fmt.Errorf("%w: the name has a prefix that the protocol keeps for itself", ErrInvalidEvent)
	case len(e.Data) > MaxEventData:
		return fmt.Errorf("%w: %w: %d bytes are more than %d", ErrInvalidEvent, ErrTooLarge, len(e.Data), MaxEventData)
	case !utf8.ValidString(e.Name):
		return fmt.Errorf("%w: the name is not UTF-8", ErrInvalidEvent)
	case !validJSON(e.Data) || !utf8.Valid(e.Data): // validJSON looks no further than the syntax
		return fmt.Errorf("%w: the data is not JSON", ErrInvalidEvent)
	}
	return nil
}

// LogValue shows ids and sizes, never the payload.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("channel", string(e.Channel)),
		slog.String("name", e.Name),
		slog.Int("bytes", len(e.Data)),
	)
}
