package ws

import (
	"fmt"
	"strings"

	"github.com/murph-chat/murph/realtime"
)

// fixedChannel returns the channel that an event or a revocation for ch is for.
func (s *Server) fixedChannel(ch realtime.Channel) (realtime.Channel, error) {
	if s.cfg.FixedChannel == nil || isPersonal(ch) {
		return ch, nil
	}
	mapped, err := realtime.ParseChannel(string(s.cfg.FixedChannel(ch)))
	if err != nil {
		return "", fmt.Errorf("Config.FixedChannel: %w", err)
	}
	return mapped, nil
}

// address applies [Config.FixedChannel] to ev. Without it the channel's name is
// what keeps others out, and the audience is dropped.
func (s *Server) address(ev *realtime.Event) error {
	if s.cfg.FixedChannel == nil {
		ev.Audience = ""
		return nil
	}
	ch, err := s.fixedChannel(ev.Channel)
	if err != nil {
		return fmt.Errorf("%w: %w", realtime.ErrInvalidEvent, err)
	}
	ev.Channel = ch
	return nil
}

// reader holds the users that a subscription is tied to, by its signature and
// by the connection's sign-in; each may be empty.
type reader struct{ signedFor, signedInAs string }

func readerOf(c *conn, s subscription) reader { return reader{s.userID, c.user.id} }

// mayRead reports whether an event with this [realtime.Event.Audience] is for
// the reader.
func (r reader) mayRead(audience string) bool {
	if audience == "" {
		return true
	}
	for id := range strings.FieldsSeq(audience) {
		if id == r.signedFor || id == r.signedInAs {
			return true
		}
	}
	return false
}

// readers returns the readers behind the subscriptions to name.
func (h *hub) readers(name realtime.Channel) map[*conn]reader {
	h.mu.RLock()
	defer h.mu.RUnlock()
	ch := h.channels[name]
	if ch == nil {
		return nil
	}
	all := make(map[*conn]reader, len(ch.subs))
	for c, s := range ch.subs {
		all[c] = readerOf(c, s)
	}
	return all
}
