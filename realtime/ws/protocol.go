package ws

import (
	"net/http"
	"strings"
	"time"
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
		c.signIn(f)
	default:
		if strings.HasPrefix(f.Event, pusherproto.PrefixClientEvent) {
			c.clientEvent(f)
			return
		}
		c.send(pusherproto.Error(pusherproto.CodeNone, "Unknown event"))
	}
}

// maxPause is how long a reader that waits does not notice that the connection is being closed.
const maxPause = 100 * time.Millisecond

// subscribe answers pusher:subscribe: with the acknowledgement once events will arrive, or with the reason why not.
// pusher-js never repeats a refused subscription on the same connection, so real refusals belong into the
// authorisation endpoint.
func (c *conn) subscribe(f pusherproto.ClientFrame) {
	req, err := f.Subscribe()
	if err != nil {
		c.send(pusherproto.Error(pusherproto.CodeNone, "Malformed subscription"))
		return
	}
	refuse := func(kind, message string, status int, settings ...string) {
		c.server.refusedSubscriptions.Add(1)
		for _, setting := range settings {
			c.server.limits.refused(setting)
		}
		c.send(pusherproto.SubscriptionError(req.Channel, kind, message, status))
	}
	// The reader's own time: what the client sends waits in the kernel, its and ours.
	for wait := time.Duration(1); wait > 0 && !c.closing.Load(); {
		if wait = c.limits.subscribes.take(c.server.cfg.SubscribeRate, time.Now()); wait > 0 {
			time.Sleep(min(wait, maxPause))
		}
	}
	ch, sub, problem := c.authorize(req)
	if problem != nil {
		refuse(pusherproto.SubscriptionAuthError, problem.text, problem.status, problem.settings...)
		return
	}
	switch c.server.hub.subscribe(c, ch, sub) {
	case subscribed:
		c.life.active.Store(true)
		if ch.Kind() != realtime.KindPublic {
			c.life.authorized.Store(true)
		}
	case connectionGone, queueFull: // the hub has closed it
	case alreadySubscribed:
		// An error frame, as from the hosted service: the existing subscription stands.
		c.send(pusherproto.Error(pusherproto.CodeNone, "Existing subscription to channel "+string(ch)))
	case tooManyChannels:
		refuse(pusherproto.SubscriptionLimitReached, "Too many channels on this connection", http.StatusForbidden, "MaxChannels")
	case tooManyMembers:
		refuse(pusherproto.SubscriptionLimitReached, "The channel has too many members", http.StatusForbidden, "MaxMembers")
	case notSignedIn:
		refuse(pusherproto.SubscriptionAuthError, "Not signed in as the user of this channel", http.StatusUnauthorized)
	case noLongerAllowed:
		refuse(pusherproto.SubscriptionAuthError, reasonRevoked, http.StatusForbidden)
	}
}

// problem is why a subscription is refused, with a status like that of an HTTP
// answer, and the field of Config that changes it, if there is one.
type problem struct {
	text     string
	status   int
	settings []string
}

// authorize checks the name and the signature of a subscription, and reads whose it is.
func (c *conn) authorize(req pusherproto.Subscribe) (realtime.Channel, subscription, *problem) {
	if isPersonal(realtime.Channel(req.Channel)) { // needs no signature: the hub knows who is signed in
		return realtime.Channel(req.Channel), subscription{}, nil
	}
	cfg := &c.server.cfg
	ch, err := realtime.ParseChannel(req.Channel)
	if err != nil {
		return "", subscription{}, &problem{text: "Invalid channel name", status: http.StatusBadRequest}
	}
	if ch.Kind() == realtime.KindPublic {
		return ch, subscription{}, nil
	}
	if !c.server.signer.VerifyChannel(req.Auth, c.id, ch, req.ChannelData) {
		return "", subscription{}, &problem{text: "Invalid signature", status: http.StatusUnauthorized}
	}
	if req.ChannelData == "" {
		return ch, subscription{}, nil
	}
	data, err := pusherproto.ParseChannelData(req.ChannelData)
	switch {
	case err != nil, data.UserID == "" && ch.Kind() == realtime.KindPresence:
		return "", subscription{}, &problem{text: "Invalid channel data", status: http.StatusBadRequest}
	case len(data.Info) > cfg.MaxMemberInfo:
		return "", subscription{}, &problem{"The member's info is too large", http.StatusRequestEntityTooLarge, []string{"MaxMemberInfo"}}
	case cfg.GrantTTL > 0 && !data.IssuedAt.IsZero() && time.Since(data.IssuedAt) > cfg.GrantTTL:
		return "", subscription{}, &problem{"Authorization expired", http.StatusUnauthorized, []string{"GrantTTL"}}
	}
	return ch, subscription{userID: data.UserID, info: data.Info, issuedAt: data.IssuedAt}, nil
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
