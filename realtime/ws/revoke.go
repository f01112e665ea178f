package ws

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
	"github.com/murph-chat/murph/realtime/ws/internal/cluster"
)

const (
	// revokeGrace is how much younger than a revocation a grant has to be to count as made after it. An authorisation
	// endpoint may have read the store just before the change, and signed just after it.
	revokeGrace = time.Second
	// maxRules bounds what is remembered of revocations. A grant is good for one connection only, so no more is needed
	// than what happened while the oldest connection lived.
	maxRules = 100_000
)

// reasonRevoked is what the client of an ended subscription is told.
const reasonRevoked = "No longer authorized"

// Revoke implements [realtime.Revoker]: it ends the subscriptions to ch, a channel that needs a signature, of all
// connections but those of the users in keep, on this node at once, and on the others as soon as they hear of it, which it
// does not wait for: it is said again for a second until they confirm, and [Config.Authorize] finds what is left. Each
// gets a pusher:subscription_error with the status 403, and on a presence channel the others see them go. A grant that was
// made before does not bring them back; one that was made later does, because whoever made it has decided anew. A
// subscription that is tied to no user ends too.
func (s *Server) Revoke(ctx context.Context, r realtime.Revocation) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("ws: revoke: %w", err)
	}
	for _, ch := range r.Channels {
		if _, err := realtime.ParseChannel(string(ch)); err != nil {
			return fmt.Errorf("ws: revoke: %w", err)
		}
		if ch.Kind() == realtime.KindPublic {
			return fmt.Errorf("ws: revoke: %w: everybody may listen to a public channel", realtime.ErrInvalidChannel)
		}
	}
	keep := slices.Clone(r.Keep)
	for _, ch := range r.Channels {
		s.hub.retain(ch, keep)
		s.order(ctx, cluster.Command{Revoke: ch, Keep: keep})
	}
	return nil
}

// retain ends the subscriptions to name of everybody who is not in keep.
func (h *hub) retain(name realtime.Channel, keep []string) {
	h.change(func(h *change) {
		h.rules.retain(name, keep, time.Now())
		ch := h.channels[name]
		if ch == nil {
			return
		}
		for c, s := range ch.subs {
			if !slices.Contains(keep, owner(c, s)) {
				h.end(c, name)
			}
		}
	})
}

// banish ends the subscription of one user to one channel, on all of their connections, but not one that rests on a grant
// from after at: the host has decided anew then.
func (h *hub) banish(l realtime.Listener, at time.Time) {
	h.change(func(h *change) {
		h.rules.deny(l, at)
		ch := h.channels[l.Channel]
		if ch == nil {
			return
		}
		for c, s := range ch.subs {
			if owner(c, s) == l.UserID && s.before(at) {
				h.end(c, l.Channel)
			}
		}
	})
}

// owner is whose subscription s of c is, also when c was signed in after it was made.
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

// rules are the revocations that grants from before them have to reckon with.
type rules struct {
	age      time.Duration // how long to remember, 0 is for good
	retained map[realtime.Channel]retention
	denied   map[realtime.Listener]time.Time
}

// retention says who could listen to a channel at a time.
type retention struct {
	users []string
	at    time.Time
}

func newRules(age time.Duration) rules {
	return rules{
		age:      max(age, 0),
		retained: make(map[realtime.Channel]retention),
		denied:   make(map[realtime.Listener]time.Time),
	}
}

// forbid reports whether a subscription rests on a grant from before a revocation. One without a time counts as old.
func (r *rules) forbid(name realtime.Channel, s subscription) bool {
	if ret, ok := r.retained[name]; ok && s.before(ret.at) && !slices.Contains(ret.users, s.userID) {
		return true
	}
	at, ok := r.denied[realtime.Listener{UserID: s.userID, Channel: name}]
	return ok && s.before(at)
}

// before reports whether the subscription rests on a grant that knew nothing of a revocation at that time.
func (s subscription) before(at time.Time) bool { return s.issuedAt.Before(at.Add(revokeGrace)) }

func (r *rules) retain(name realtime.Channel, users []string, now time.Time) {
	r.prune(now)
	r.retained[name] = retention{users, now}
	for _, id := range users {
		delete(r.denied, realtime.Listener{UserID: id, Channel: name})
	}
}

func (r *rules) deny(l realtime.Listener, at time.Time) {
	r.prune(time.Now())
	r.denied[l] = at
}

// prune makes room when there are too many: what is too old to matter goes, and if that is not enough, chance decides.
func (r *rules) prune(now time.Time) {
	if len(r.retained)+len(r.denied) < maxRules {
		return
	}
	expired := func(at time.Time) bool { return r.age > 0 && now.Sub(at) > r.age }
	maps.DeleteFunc(r.retained, func(_ realtime.Channel, ret retention) bool { return expired(ret.at) })
	maps.DeleteFunc(r.denied, func(_ realtime.Listener, at time.Time) bool { return expired(at) })
	full := func() bool { return len(r.retained)+len(r.denied) > maxRules/2 }
	maps.DeleteFunc(r.denied, func(realtime.Listener, time.Time) bool { return full() })
	maps.DeleteFunc(r.retained, func(realtime.Channel, retention) bool { return full() })
}
