package pusherproto

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// hidden stands for secrets and capabilities wherever they are printed.
const hidden = "[hidden]"

// String shows the key only.
func (c Credentials) String() string { return "{" + c.Key + " " + hidden + "}" }

// Format writes the key only, whatever the verb.
func (c Credentials) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.String()) }

// LogValue shows the key only.
func (c Credentials) LogValue() slog.Value { return slog.GroupValue(slog.String("key", c.Key)) }

// MarshalJSON shows the key only.
func (c Credentials) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"key": c.Key})
}

// Format writes no part of the frame, which may carry a grant.
func (ClientFrame) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// LogValue shows the event's name only.
func (f ClientFrame) LogValue() slog.Value { return slog.GroupValue(slog.String("event", f.Event)) }

// Format writes no part of the grant.
func (Subscribe) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// LogValue shows the channel only.
func (s Subscribe) LogValue() slog.Value { return slog.GroupValue(slog.String("channel", s.Channel)) }

// Format writes no part of the grant.
func (Signin) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// LogValue shows no part of the grant.
func (Signin) LogValue() slog.Value { return slog.StringValue(hidden) }

// Format writes no part of the request, which is signed and carries an event.
func (Request) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// LogValue shows the method and the size only.
func (r Request) LogValue() slog.Value {
	return slog.GroupValue(slog.String("method", r.Method), slog.Int("bytes", len(r.Body)))
}
