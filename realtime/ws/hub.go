package ws

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/murph-chat/murph/realtime"
)

// hub knows who is subscribed to what.
type hub struct {
	mu       sync.RWMutex // guards channels, and subs and gone of all connections
	channels map[realtime.Channel]map[*conn]subscription
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

// subscription is one connection's on one channel.
type subscription struct {
	userID string // whom the signature tied it to, or ""
	since  moment // set by subscribe
}

// outcome is what became of a call of subscribe.
type outcome int

const (
	subscribed outcome = iota
	alreadySubscribed
	tooManyChannels
	connectionGone // nothing is left to be told
	queueFull
)

func newHub() *hub { return &hub{channels: make(map[realtime.Channel]map[*conn]subscription)} }

// tick begins a new moment and returns it.
func (h *hub) tick() moment { return moment(h.clock.Add(1)) }

// subscribe registers c and puts the acknowledgement into its queue in one step, so that no event of the channel can
// be in front of the acknowledgement, and none after it is missing. That is why the lock of the wire is taken within
// the hub's, and why it is only held there: it is written when the hub's is free again.
func (h *hub) subscribe(c *conn, ch realtime.Channel, s subscription, ack []byte, limit int) outcome {
	defer c.wire.flush()
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.gone {
		return connectionGone
	}
	if _, ok := c.subs[ch]; ok {
		return alreadySubscribed
	}
	if len(c.subs) >= limit {
		return tooManyChannels
	}
	if c.wire.hold(ack) == noRoom {
		return queueFull
	}
	s.since = moment(h.clock.Load())
	if h.channels[ch] == nil {
		h.channels[ch] = make(map[*conn]subscription)
	}
	h.channels[ch][c] = s
	c.subs[ch] = struct{}{}
	h.total++
	return subscribed
}

// unsubscribe ends c's subscription to ch, if there is one.
func (h *hub) unsubscribe(c *conn, ch realtime.Channel) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(c, ch)
}

// drop ends all subscriptions of c for good: later calls of subscribe are refused.
func (h *hub) drop(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.gone = true
	for ch := range c.subs {
		h.remove(c, ch)
	}
}

func (h *hub) remove(c *conn, ch realtime.Channel) {
	if _, ok := c.subs[ch]; !ok {
		return
	}
	delete(c.subs, ch)
	delete(h.channels[ch], c)
	if len(h.channels[ch]) == 0 {
		delete(h.channels, ch) // or a client that makes up names fills the memory
	}
	h.total--
}

// subscribers appends the connections subscribed to ch.
func (h *hub) subscribers(dst []target, ch realtime.Channel) []target {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for c, s := range h.channels[ch] {
		dst = append(dst, target{c, s.since})
	}
	return dst
}

// hasSubscribers reports whether an event on ch reaches anybody.
func (h *hub) hasSubscribers(ch realtime.Channel) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.channels[ch]) > 0
}

// counts returns the numbers of channels and subscriptions.
func (h *hub) counts() (channels, subscriptions int) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.channels), h.total
}

// occupied returns the state of the channels whose names begin with prefix.
func (h *hub) occupied(prefix string) map[realtime.Channel]channelState {
	h.mu.RLock()
	defer h.mu.RUnlock()
	all := make(map[realtime.Channel]channelState)
	for ch, subs := range h.channels {
		if strings.HasPrefix(string(ch), prefix) && ch[0] != '#' {
			all[ch] = channelState{subscriptions: len(subs), users: len(userIDs(subs))}
		}
	}
	return all
}

// state returns that of one channel.
func (h *hub) state(ch realtime.Channel) channelState {
	h.mu.RLock()
	defer h.mu.RUnlock()
	subs := h.channels[ch]
	return channelState{subscriptions: len(subs), users: len(userIDs(subs))}
}

// users returns the ids of ch's members.
func (h *hub) users(ch realtime.Channel) []string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return userIDs(h.channels[ch])
}

func userIDs(subs map[*conn]subscription) []string {
	ids := make(map[string]struct{})
	for _, s := range subs {
		if s.userID != "" {
			ids[s.userID] = struct{}{}
		}
	}
	return slices.Collect(maps.Keys(ids))
}

// signedIn returns the connections of a user.
func (h *hub) signedIn(string) []*conn { return nil }
