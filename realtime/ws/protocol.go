package ws

import (
	"net/http"
	"unicode/utf8"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// handle acts on one message of the client's. Every message that cannot be served is answered.
func (c *conn) handle(message []byte) {
	if !utf8.Valid(message) {
		c.close(pusherproto.CodeInvalidPayload, "not UTF-8", false) // RFC 6455 §8.1
		return
	}
	f, err := pusherproto.ParseClientFrame(message)
	if err != nil {
		c.send(pusherproto.Error(pusherproto.CodeNone, "Malformed message"))
		return
	}
	switch f.Event {
	case pusherproto.EventPing:
		c.send(pusherproto.FramePong)
	case pusherproto.EventPong:
	case pusherproto.EventSubscribe:
		c.subscribe(f)
	case pusherproto.EventUnsubscribe:
		c.unsubscribe(f)
	case pusherproto.EventSignin:
		c.send(pusherproto.Error(pusherproto.CodeNone, "User authentication is not enabled"))
	default:
		if len(f.Event) > len(pusherproto.PrefixClientEvent) &&
			f.Event[:len(pusherproto.PrefixClientEvent)] == pusherproto.PrefixClientEvent {
			c.send(pusherproto.Error(pusherproto.CodeClientEventRejected, "Client events are not enabled"))
			return
		}
		c.send(pusherproto.Error(pusherproto.CodeNone, "Unknown event"))
	}
}

// subscribe answers pusher:subscribe: with the acknowledgement once events will arrive, or with the reason why not.
// pusher-js never repeats a refused subscription on the same connection, so real refusals belong into the
// authorisation endpoint.
func (c *conn) subscribe(f pusherproto.ClientFrame) {
	req, err := f.Subscribe()
	if err != nil {
		c.send(pusherproto.Error(pusherproto.CodeNone, "Malformed subscription"))
		return
	}
	refuse := func(kind, message string, status int) {
		c.server.refusedSubscriptions.Add(1)
		c.send(pusherproto.SubscriptionError(req.Channel, kind, message, status))
	}
	ch, err := realtime.ParseChannel(req.Channel)
	if err != nil {
		refuse(pusherproto.SubscriptionAuthError, "Invalid channel name", http.StatusBadRequest)
		return
	}
	kind := ch.Kind()
	if kind == realtime.KindPresence || pusherproto.IsCache(ch) {
		refuse(pusherproto.SubscriptionUnsupported, "Channels of this kind are not supported", http.StatusNotImplemented)
		return
	}
	var sub subscription
	if kind != realtime.KindPublic {
		if !c.server.signer.VerifyChannel(req.Auth, c.id, ch, req.ChannelData) {
			refuse(pusherproto.SubscriptionAuthError, "Invalid signature", http.StatusUnauthorized)
			return
		}
		if req.ChannelData != "" {
			m, err := pusherproto.ParseChannelData(req.ChannelData)
			if err != nil {
				refuse(pusherproto.SubscriptionAuthError, "Invalid channel data", http.StatusBadRequest)
				return
			}
			sub.userID = m.UserID
		}
	}
	ack := textFrame(pusherproto.SubscriptionSucceeded(ch))
	switch c.server.hub.subscribe(c, ch, sub, ack, c.server.cfg.MaxChannels) {
	case subscribed:
		c.server.messagesOut.Add(1)
	case connectionGone:
	case alreadySubscribed:
		// An error frame, as from the hosted service: the existing subscription stands.
		c.send(pusherproto.Error(pusherproto.CodeNone, "Existing subscription to channel "+string(ch)))
	case tooManyChannels:
		refuse(pusherproto.SubscriptionLimitReached, "Too many channels on this connection", http.StatusForbidden)
	case queueFull:
		c.overflow()
	}
}

// unsubscribe has no answer in the protocol, except for a message that cannot be understood.
func (c *conn) unsubscribe(f pusherproto.ClientFrame) {
	req, err := f.Subscribe()
	if err != nil {
		c.send(pusherproto.Error(pusherproto.CodeNone, "Malformed message"))
		return
	}
	c.server.hub.unsubscribe(c, realtime.Channel(req.Channel))
}
