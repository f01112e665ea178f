package ws

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// clientEvent passes an event on to the others of a channel (Pusher Channels documentation, "Client events"). One that
// may not be sent is answered with the error 4301, which closes nothing.
func (c *conn) clientEvent(f pusherproto.ClientFrame) {
	ch := realtime.Channel(f.Channel)
	sub, reason, setting := c.mayTrigger(ch, f)
	if reason != "" {
		if setting != "" {
			c.server.limits.refused(setting)
		}
		c.send(pusherproto.Error(pusherproto.CodeClientEventRejected, reason))
		return
	}
	userID := ""
	if ch.Kind() == realtime.KindPresence {
		userID = sub.userID // as signed, whatever the sender says
	}
	s := c.server
	s.notices.add(notice{
		kind: noticeClientEvent, channel: ch, userID: userID, event: f.Event, data: asText(f.Data), socketID: c.id,
	})
	s.notices.deliver()
	s.relayClientEvent(ch, pusherproto.AppendClientEvent(nil, ch, f.Event, f.Data, userID), c.id)
}

// mayTrigger returns the sender's subscription, or why the event is refused, and
// the field of Config that changes it, if there is one.
func (c *conn) mayTrigger(ch realtime.Channel, f pusherproto.ClientFrame) (sub subscription, reason, setting string) {
	cfg := &c.server.cfg
	kind := ch.Kind()
	switch {
	case len(cfg.ClientEvents) == 0:
		return subscription{}, "Client events are not enabled", "ClientEvents"
	case !slices.Contains(cfg.ClientEvents, f.Event) && !slices.Contains(cfg.ClientEvents, allClientEvents):
		return subscription{}, "This client event is not allowed", "ClientEvents"
	case kind != realtime.KindPrivate && kind != realtime.KindPresence: // an encrypted channel's would be in the clear
		return subscription{}, "Client events are for private and presence channels", ""
	case len(f.Data) > cfg.MaxClientEventBytes:
		return subscription{}, "The client event is too large", "MaxClientEventBytes"
	case c.limits.events.take(cfg.ClientEventRate, time.Now()) > 0:
		return subscription{}, "Too many client events", "ClientEventRate"
	}
	sub, ok := c.server.hub.subscription(c, ch)
	if !ok {
		return subscription{}, "Client events need a subscription to the channel", ""
	}
	return sub, "", ""
}

// allClientEvents in Config.ClientEvents stands for all names.
const allClientEvents = pusherproto.PrefixClientEvent + "*"

// asText returns what a JSON string says, and other JSON as it is.
func asText(data json.RawMessage) string {
	if s := ""; strings.HasPrefix(string(data), `"`) && json.Unmarshal(data, &s) == nil {
		return s
	}
	return string(data)
}
