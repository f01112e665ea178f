package ws

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// hub knows who is subscribed to what, and who is who. It is the only place where that changes, and each change is one
// step: what a client is told about a channel (the acknowledgement, members, counts, the remembered event) goes into
// its queue under the same lock as the change itself, so that it comes in the order in which things happened and fits
// the state it has been told before. The wires' locks are therefore taken within the hub's, by change.put and nowhere
// else; a wire does no I/O then, it is written when the hub's lock is free.
type hub struct {
	cfg     Config
	notices *noticeLog

	mu       sync.RWMutex // guards what follows, and subs, gone and identity of all connections
	channels map[realtime.Channel]*channel
	people   map[string]*person
	counting map[realtime.Channel]struct{} // their subscribers are told soon how many they are
	cache    cache
	rules    rules
	away     elsewhere
	total    int // subscriptions

	clock atomic.Uint64 // the current moment
}

// moment orders subscriptions and events: an event is for those whose subscription is older. The shards deliver later
// than Broadcast is called, and who has come in the meantime must not get it.
type moment uint64

// target is a subscriber as the fan-out sees it.
type target struct {
	conn  *conn
	since moment
}

// channel is what the hub keeps of a channel while it has subscribers.
type channel struct {
	name    realtime.Channel
	subs    map[*conn]subscription
	members map[string]*member       // by user id, on a presence channel
	list    atomic.Pointer[[]target] // subs for the fan-out, or nil when they have changed since
}

// subscription is one connection's on one channel.
type subscription struct {
	userID   string          // whom the signature ties it to, or the user the connection was signed in as, or ""
	info     json.RawMessage // on a presence channel: what the others see of the member
	issuedAt time.Time       // of the grant, see grantTime
	since    moment          // set by subscribe
}

// outcome is what became of a call of subscribe.
type outcome int

const (
	subscribed outcome = iota
	alreadySubscribed
	tooManyChannels
	tooManyMembers
	tooManyConnections // are signed in as that user
	notSignedIn        // as the user that the channel needs
	noLongerAllowed
	connectionGone // nothing is left to be told
	queueFull
)

func newHub(cfg Config, notices *noticeLog) *hub {
	return &hub{
		cfg: cfg, notices: notices,
		channels: make(map[realtime.Channel]*channel),
		people:   make(map[string]*person),
		counting: make(map[realtime.Channel]struct{}),
		cache:    cache{entries: make(map[realtime.Channel]cacheEntry)},
		rules:    newRules(cfg.MaxSessionAge),
		away:     newElsewhere(),
	}
}

// tick begins a new moment and returns it.
func (h *hub) tick() moment { return moment(h.clock.Add(1)) }

// change is a change of the hub under way. It collects what has to wait until the lock is free.
type change struct {
	*hub
	full []*conn // had no room: closing one changes the hub again
	held []*conn // have been told something, which is written then
}

// change runs f with the lock held, and then does what the change entails.
func (h *hub) change(f func(*change)) {
	ch := change{hub: h}
	func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		f(&ch)
	}()
	for _, c := range ch.held {
		c.wire.flush()
	}
	h.notices.deliver()
	for _, c := range ch.full {
		c.overflow()
	}
	if len(ch.held) > 0 {
		ch.held[0].server.shed()
	}
}

// put tells c something. It reports false when there is no room, and the connection is closed after the change.
func (h *change) put(c *conn, frame []byte) bool {
	switch c.wire.hold(frame) {
	case noRoom:
		h.full = append(h.full, c)
		return false
	case taken, waits:
		c.server.messagesOut.Add(1)
		h.held = append(h.held, c)
	case tooLate:
	}
	return true
}

// tell tells all subscribers of ch but one something.
func (h *change) tell(ch *channel, except *conn, frame []byte) {
	for c := range ch.subs {
		if c != except {
			h.put(c, frame)
		}
	}
}

// subscribe registers c and acknowledges it, so that no event of the channel can be in front of the acknowledgement, and
// none after it is missing.
func (h *hub) subscribe(c *conn, name realtime.Channel, s subscription) (result outcome) {
	h.change(func(h *change) { result = h.subscribe(c, name, s) })
	return result
}

func (h *change) subscribe(c *conn, name realtime.Channel, s subscription) outcome {
	if c.gone {
		return connectionGone
	}
	if _, ok := c.subs[name]; ok {
		return alreadySubscribed
	}
	owner, personal := pusherproto.ParseUserChannel(string(name))
	if name.Kind() != realtime.KindPublic {
		s.issuedAt = c.grantTime(s.issuedAt)
		if s.userID == "" {
			s.userID, s.info = c.user.id, c.user.info
		}
	}
	switch {
	case personal && c.user.id != owner, name.Kind() == realtime.KindPresence && s.userID == "":
		return notSignedIn
	case !personal && c.channels() >= h.cfg.MaxChannels:
		return tooManyChannels
	case h.rules.forbid(name, s):
		return noLongerAllowed
	}
	ch := h.channels[name]
	if ch == nil {
		ch = newChannel(name)
	}
	if name.Kind() == realtime.KindPresence && !h.isMember(name, s.userID) && h.members(ch) >= h.cfg.MaxMembers {
		return tooManyMembers
	}
	h.attach(c, s.userID)
	s.since = moment(h.clock.Load())
	ch.join(c, s)
	if !h.acknowledge(c, ch) {
		ch.leave(c)
		h.detach(c, s.userID)
		return queueFull
	}
	h.channels[name] = ch
	c.subs[name] = struct{}{}
	h.total++
	h.entered(ch, c, s)
	return subscribed
}

// acknowledge tells c that it is subscribed, and what there is to know about the channel.
func (h *change) acknowledge(c *conn, ch *channel) bool {
	if ch.members != nil {
		return h.put(c, textFrame(pusherproto.PresenceSucceeded(ch.name, h.away.infos(ch.name, ch.infos()))))
	}
	return h.put(c, textFrame(pusherproto.SubscriptionSucceeded(ch.name)))
}

// entered tells everybody concerned about a new subscription.
func (h *change) entered(ch *channel, c *conn, s subscription) {
	m := ch.members[s.userID]
	first := m != nil && m.sockets == 1
	h.touched(ch.name, s.userID, first, 1)
	if isPersonal(ch.name) {
		return
	}
	if h.everywhere(ch.name) == 1 {
		h.notices.add(notice{kind: noticeOccupied, channel: ch.name})
	}
	if first && !h.away.has(ch.name, s.userID) {
		h.notices.add(notice{kind: noticeMemberAdded, channel: ch.name, userID: s.userID})
		h.tell(ch, c, textFrame(pusherproto.MemberAdded(ch.name, realtime.Member{UserID: s.userID, Info: m.info})))
	}
	h.recall(ch, c)
	h.recount(ch)
}

// unsubscribe ends c's subscription to name, if there is one.
func (h *hub) unsubscribe(c *conn, name realtime.Channel) {
	h.change(func(h *change) { h.remove(c, name) })
}

// drop ends all subscriptions of c, and its sign-in, for good: later calls of subscribe are refused.
func (h *hub) drop(c *conn) {
	h.change(func(h *change) {
		if c.gone {
			return
		}
		c.gone = true
		for name := range c.subs {
			h.remove(c, name)
		}
		h.signOut(c)
	})
}

func (h *change) remove(c *conn, name realtime.Channel) {
	if _, ok := c.subs[name]; !ok {
		return
	}
	ch := h.channels[name]
	s := ch.leave(c)
	delete(c.subs, name)
	h.detach(c, s.userID)
	h.total--
	if len(ch.subs) == 0 {
		delete(h.channels, name) // or a client that makes up names fills the memory
	}
	last := ch.members != nil && ch.members[s.userID] == nil
	h.touched(name, s.userID, last, -1)
	if isPersonal(name) {
		return
	}
	if last && !h.away.has(name, s.userID) {
		h.notices.add(notice{kind: noticeMemberRemoved, channel: name, userID: s.userID})
		h.tell(ch, nil, textFrame(pusherproto.MemberRemoved(name, s.userID)))
	}
	h.recount(ch)
	if h.everywhere(name) == 0 {
		h.notices.add(notice{kind: noticeVacated, channel: name})
	}
}

// subscribers returns the connections subscribed to name. Nobody changes the list.
func (h *hub) subscribers(name realtime.Channel) []target {
	h.mu.RLock()
	defer h.mu.RUnlock()
	ch := h.channels[name]
	if ch == nil {
		return nil
	}
	return ch.targets()
}

// hasSubscribers reports whether an event on name reaches anybody.
func (h *hub) hasSubscribers(name realtime.Channel) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.channels[name] != nil
}

// subscription returns that of c to name.
func (h *hub) subscription(c *conn, name realtime.Channel) (subscription, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if _, ok := c.subs[name]; !ok {
		return subscription{}, false
	}
	return h.channels[name].subs[c], true
}

// counts returns the numbers of channels and subscriptions.
func (h *hub) counts() (channels, subscriptions int) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.channels), h.total
}

// channels is how many channels c has subscribed to; that of the user it is signed in as comes with the sign-in.
func (c *conn) channels() int {
	if _, ok := c.subs[pusherproto.UserChannel(c.user.id)]; ok {
		return len(c.subs) - 1
	}
	return len(c.subs)
}

func isPersonal(name realtime.Channel) bool {
	_, ok := pusherproto.ParseUserChannel(string(name))
	return ok
}
