package ws

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
	"github.com/murph-chat/murph/realtime/ws/internal/cluster"
)

// reasonRevoked is what the client of an ended subscription is told.
const reasonRevoked = "No longer authorized"

// commandChannels is how many channels go into one command to the other nodes,
// which refuse records that are too large.
const commandChannels = 1000

// Revoke implements [realtime.Revoker]. It ends the subscriptions to all of
// r.Channels in one step on this node. Other nodes follow as soon as they receive
// the command, which is repeated for one second until they have confirmed it;
// [Config.Authorize] finds what is left. Each connection stays open and gets a
// pusher:subscription_error with the status 403; on a presence channel the other
// members see the user go. A subscription that is tied to no user ends too.
//
// A user outside r.Keep cannot use a grant from before the call, and can use one
// from at least a second later. A grant without a time, such as one of another
// SDK, counts as made when its connection began.
func (s *Server) Revoke(ctx context.Context, r realtime.Revocation) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("ws: revoke: %w", err)
	}
	channels, keep := slices.Clone(r.Channels), slices.Clone(r.Keep)
	for i, ch := range r.Channels {
		_, err := realtime.ParseChannel(string(ch))
		if err == nil {
			ch, err = s.fixedChannel(ch)
		}
		if err != nil {
			return fmt.Errorf("ws: revoke: %w", err)
		}
		channels[i] = ch
		if ch.Kind() == realtime.KindPublic {
			return fmt.Errorf("ws: revoke: %w: a public channel has no signatures", realtime.ErrInvalidChannel)
		}
	}
	s.hub.retain(channels, keep, r.Rev)
	for part := range slices.Chunk(channels, commandChannels) {
		s.order(ctx, cluster.Command{Revoke: part, Keep: keep, Rev: r.Rev})
	}
	return nil
}

// retain ends the subscriptions to the channels of all users who are not in
// keep, except on channels where a revocation with a higher rev was applied.
func (h *hub) retain(channels []realtime.Channel, keep []string, rev int64) {
	h.change(func(h *change) {
		now := time.Now()
		for _, name := range channels {
			if !h.rules.retain(name, keep, rev, now) || h.channels[name] == nil {
				continue
			}
			for c, s := range h.channels[name].subs {
				if !slices.Contains(keep, owner(c, s)) {
					h.end(c, name)
				}
			}
		}
	})
}

// banish ends the subscription of one user to one channel on all of the user's
// connections. A subscription with a grant from after at stays, and so do all
// when a revocation from after at keeps the user.
func (h *hub) banish(l realtime.Listener, at time.Time) {
	h.change(func(h *change) {
		ch := h.channels[l.Channel]
		if !h.rules.deny(l, at, time.Now()) || ch == nil {
			return
		}
		for c, s := range ch.subs {
			if owner(c, s) == l.UserID && isBefore(s.issuedAt, at) {
				h.end(c, l.Channel)
			}
		}
	})
}

// owner returns the user of c's subscription s, which may be tied to the user by
// a sign-in that came after it.
func owner(c *conn, s subscription) string {
	if s.userID == "" {
		return c.user.id
	}
	return s.userID
}

// end takes a subscription from a client and tells it so.
func (h *change) end(c *conn, name realtime.Channel) {
	h.remove(c, name)
	c.server.endedSubscriptions.Add(1)
	h.put(c, textFrame(pusherproto.SubscriptionError(
		string(name), pusherproto.SubscriptionAuthError, reasonRevoked, http.StatusForbidden)))
}

// listeners returns who is subscribed to what, of the channels that need a signature, each pair once. A subscription
// that is tied to nobody is not among them.
func (h *hub) listeners() []realtime.Listener {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var all []realtime.Listener
	for name, ch := range h.channels {
		if name.Kind() == realtime.KindPublic {
			continue
		}
		seen := make(map[string]struct{}, len(ch.subs))
		for c, s := range ch.subs {
			id := owner(c, s)
			if _, twice := seen[id]; id != "" && !twice {
				seen[id] = struct{}{}
				all = append(all, realtime.Listener{UserID: id, Channel: name})
			}
		}
	}
	return all
}
