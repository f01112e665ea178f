package ws

import (
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// Contain runs f on every connection as if it were part of handling a message.
func (s *Server) Contain(f func()) {
	for _, c := range s.all() {
		c.contain(f)
	}
}

// SubscribeAll subscribes every connection, also one that is about to end.
func (s *Server) SubscribeAll(ch realtime.Channel) {
	for _, c := range s.all() {
		s.hub.subscribe(c, ch, subscription{})
	}
}

func (s *Server) all() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	var conns []*conn
	for c := range s.conns {
		conns = append(conns, c)
	}
	return conns
}

// FirstServed makes a memory of at most limit calls. It returns the question whether a call is the first of its kind,
// and how many are remembered.
func FirstServed(limit int) (first func(signature string, second int64, now time.Time) bool, size func() int) {
	calls := newServedCalls(limit)
	first = func(signature string, second int64, now time.Time) bool {
		return calls.first(signature, strconv.FormatInt(second, 10), now)
	}
	return first, func() int { return calls.total }
}

// Notify is what the hub does when something has happened. The fields that the kind has no use for are ignored.
func (s *Server) Notify(kind string, ch realtime.Channel, userID, event, data string, id realtime.SocketID, n int) {
	s.hooks.receive(notice{noticeKind(kind), ch, userID, event, data, id, n})
}

// TransportWebhooks makes all webhooks go through rt. Call it before the first notice.
func (s *Server) TransportWebhooks(rt http.RoundTripper) {
	for _, t := range s.hooks.targets {
		t.client.Transport = rt
	}
}

// WebhookProxy is how the requests of webhooks look for a proxy, nil if they do not.
func WebhookProxy(allowPrivate bool) func(*http.Request) (*url.URL, error) {
	return newWebhookClient(allowPrivate).Transport.(*http.Transport).Proxy
}

// IsPublic is the check of the addresses that webhooks go to.
func IsPublic(ip netip.Addr) bool { return isPublic(ip) }

// Users returns the members of a presence channel, sorted.
func (s *Server) Users(ch realtime.Channel) []string { return s.channelUsers(ch) }

// Listen has f hear of what happens on the channels, in the place of the webhooks. Call it before the first connection.
func (s *Server) Listen(f func(kind string, ch realtime.Channel, userID, event, data string, id realtime.SocketID, n int)) {
	s.notices.to = func(n notice) { f(string(n.kind), n.channel, n.userID, n.event, n.data, n.socketID, n.count) }
}

// MaxRules is how many rules a server remembers.
const MaxRules = maxRules

// Rules returns how many rules the server remembers.
func (s *Server) Rules() int {
	s.hub.mu.RLock()
	defer s.hub.mu.RUnlock()
	return s.hub.rules.order.Len()
}

// CachedEvents is how many events the cache channels hold in memory.
func (s *Server) CachedEvents() int {
	s.hub.mu.RLock()
	defer s.hub.mu.RUnlock()
	return len(s.hub.cache.entries)
}

// Defaults returns what New makes of a Config in which nothing is set, but the Logger.
func Defaults() Config {
	cfg := Config{}.withDefaults()
	cfg.Logger = nil
	return cfg
}

// People is how many users the hub keeps something of.
func (s *Server) People() int {
	s.hub.mu.RLock()
	defer s.hub.mu.RUnlock()
	return len(s.hub.people)
}

// Spoil makes what comes next on every connection a bug: a subscription, and a look at the connection's age. Call it while
// nobody is subscribed to anything.
func (s *Server) Spoil() {
	s.hub.mu.Lock()
	s.hub.channels = nil
	s.hub.mu.Unlock()
	for _, c := range s.all() {
		c.life.mu.Lock()
		c.life.timer = nil
		c.life.mu.Unlock()
	}
}

// Door lets people in and out without a server.
type Door struct{ d *door }

// NewDoor makes a Door that nobody has come through.
func NewDoor(cfg Config) Door { return Door{newDoor(cfg.withDefaults())} }

// Enter returns why somebody may not come in, or "".
func (d Door) Enter(from netip.Addr) string { return d.d.enter(from, time.Now()).reason }

// Leave is the end of what Enter has let in.
func (d Door) Leave(from netip.Addr) { d.d.leave(from) }

// Visitors is how many addresses are remembered.
func (d Door) Visitors() int {
	d.d.mu.Lock()
	defer d.d.mu.Unlock()
	return len(d.d.visitors)
}

// Pace keeps a Rate.
type Pace struct{ p pace }

// Take reports how long to wait at that time until one more may happen, or 0.
func (p *Pace) Take(r Rate, now time.Time) time.Duration { return p.p.take(r, now) }

// Idle reports whether nothing is left then of what has happened.
func (p *Pace) Idle(now time.Time) bool { return p.p.idle(now) }

// Unsaid is a notice of a channel that a node has held back at a time.
type Unsaid struct {
	Kind    string
	Channel realtime.Channel
	At      time.Time
}

// Inherited is what a node says of that which takes over from another, each with a bar between kind and channel.
func Inherited(since time.Time, unsaid ...Unsaid) (say []string) {
	var held []heldBack
	for _, u := range unsaid {
		held = append(held, heldBack{notice{kind: noticeKind(u.Kind), channel: u.Channel}, u.At})
	}
	for _, n := range inherited(held, since) {
		say = append(say, string(n.kind)+"|"+string(n.channel))
	}
	return say
}
