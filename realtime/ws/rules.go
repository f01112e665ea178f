package ws

import (
	"container/list"
	"slices"
	"time"

	"github.com/murph-chat/murph/realtime"
)

const (
	// revokeGrace is how much younger than a revocation a grant must be to
	// count as made after it. Clocks of different processes differ, and grants
	// without [realtime.Member.CheckedAt] carry the time of the signature: an
	// authorization endpoint may have read the store just before the change and
	// signed just after it.
	revokeGrace = time.Second
	// maxRules bounds the memory that the rules take.
	maxRules = 100_000
)

// rules holds the revocations that grants made before them are checked against.
// A grant is good for one connection, so a rule that is older than every
// connection has no effect and is dropped. When there are more than maxRules,
// the oldest are dropped earlier, and floor takes their place.
type rules struct {
	age   time.Duration // how long a rule is kept, 0 for ever
	byKey map[realtime.Listener]*list.Element
	order *list.List // of rule, in the order of their last change
	// floor is the time of the newest rule that was dropped before its time.
	// Grants from before it are refused, because such a rule may have been
	// about them.
	floor time.Time
}

// rule is one revocation. Its key has a channel alone for a rule about all users
// of the channel but keep, a user alone for a terminated user, and both for one
// user of one channel.
type rule struct {
	key  realtime.Listener
	at   time.Time
	keep []string
	rev  int64 // the highest that was applied to the channel
}

func newRules(maxSessionAge time.Duration) rules {
	r := rules{byKey: make(map[realtime.Listener]*list.Element), order: list.New()}
	if maxSessionAge > 0 {
		r.age = maxSessionAge + revokeGrace
	}
	return r
}

// retain adds the rule that only the users in keep may listen to the channel. It
// reports false, and changes nothing, when a rule with a higher rev is there.
func (r *rules) retain(name realtime.Channel, keep []string, rev int64, now time.Time) bool {
	key := realtime.Listener{Channel: name}
	old, ok := r.get(key)
	if ok && rev > 0 && rev < old.rev {
		return false
	}
	for _, id := range keep {
		r.remove(realtime.Listener{UserID: id, Channel: name})
	}
	r.put(rule{key: key, at: now, keep: keep, rev: max(rev, old.rev)}, now)
	return true
}

// deny adds the rule that the user may not listen to the channel. It reports
// false, and changes nothing, when a later rule of the channel keeps the user.
func (r *rules) deny(l realtime.Listener, at, now time.Time) bool {
	if ret, ok := r.get(realtime.Listener{Channel: l.Channel}); ok && ret.at.After(at) && slices.Contains(ret.keep, l.UserID) {
		return false
	}
	r.put(rule{key: l, at: at}, now)
	return true
}

// terminate adds the rule that no grant of the user counts any more.
func (r *rules) terminate(userID string, now time.Time) {
	r.put(rule{key: realtime.Listener{UserID: userID}, at: now}, now)
}

// forbid reports whether a subscription to a channel that needs a signature
// rests on a grant from before a rule.
func (r *rules) forbid(name realtime.Channel, s subscription) bool {
	if name.Kind() == realtime.KindPublic {
		return false
	}
	if r.forbidUser(s.userID, s.issuedAt) || r.denies(realtime.Listener{UserID: s.userID, Channel: name}, s.issuedAt) {
		return true
	}
	ret, ok := r.get(realtime.Listener{Channel: name})
	return ok && isBefore(s.issuedAt, ret.at) && !slices.Contains(ret.keep, s.userID)
}

// forbidUser reports whether a grant for the user, or for no user if userID is
// empty, is from before the user's termination or from before the floor.
func (r *rules) forbidUser(userID string, issuedAt time.Time) bool {
	return isBefore(issuedAt, r.floor) || r.denies(realtime.Listener{UserID: userID}, issuedAt)
}

// denies reports whether there is a rule about a user that is later than the
// grant.
func (r *rules) denies(l realtime.Listener, issuedAt time.Time) bool {
	if l.UserID == "" {
		return false
	}
	denied, ok := r.get(l)
	return ok && isBefore(issuedAt, denied.at)
}

// isBefore reports whether a grant may have been made without knowledge of a
// change at the time at.
func isBefore(issuedAt, at time.Time) bool { return issuedAt.Before(at.Add(revokeGrace)) }

func (r *rules) get(key realtime.Listener) (rule, bool) {
	e := r.byKey[key]
	if e == nil {
		return rule{}, false
	}
	return e.Value.(rule), true
}

func (r *rules) remove(key realtime.Listener) {
	if e := r.byKey[key]; e != nil {
		r.order.Remove(e)
		delete(r.byKey, key)
	}
}

// put adds a rule, or replaces the one with the same key, and drops what is too
// old or too much.
func (r *rules) put(n rule, now time.Time) {
	r.remove(n.key)
	r.byKey[n.key] = r.order.PushBack(n)
	for e := r.order.Front(); e != nil; e = r.order.Front() {
		old := e.Value.(rule)
		expired := r.age > 0 && now.Sub(old.at) > r.age
		if !expired && r.order.Len() <= maxRules {
			return
		}
		if !expired && old.at.After(r.floor) {
			r.floor = old.at
		}
		r.remove(old.key)
	}
}

// grantTime returns the time of a grant that was used on c and carries the time
// issuedAt, or none. A grant names the connection, so it cannot be older than
// that; and it cannot be from the future, whatever the signing process's clock
// says.
func (c *conn) grantTime(issuedAt time.Time) time.Time {
	if issuedAt.IsZero() {
		return c.life.born
	}
	if now := time.Now(); issuedAt.After(now) {
		return now
	}
	return issuedAt
}
