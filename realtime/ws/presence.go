package ws

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/murph-chat/murph/realtime"
)

// member is a user on a presence channel, with one or more connections. The others are told about the first and the
// last of these only, and see what the first one has brought along.
type member struct {
	info    json.RawMessage
	sockets int
}

func newChannel(name realtime.Channel) *channel {
	ch := &channel{name: name, subs: make(map[*conn]subscription, 2)}
	if name.Kind() == realtime.KindPresence {
		ch.members = make(map[string]*member, 2)
	}
	return ch
}

// join adds a subscription.
func (ch *channel) join(c *conn, s subscription) {
	ch.subs[c] = s
	ch.list.Store(nil)
	if ch.members == nil {
		return
	}
	m := ch.members[s.userID]
	if m == nil {
		m = &member{info: s.info}
		ch.members[s.userID] = m
	}
	m.sockets++
}

// leave takes the subscription of c away and returns it.
func (ch *channel) leave(c *conn) subscription {
	s := ch.subs[c]
	delete(ch.subs, c)
	ch.list.Store(nil)
	if m := ch.members[s.userID]; m != nil {
		if m.sockets--; m.sockets == 0 {
			delete(ch.members, s.userID)
		}
	}
	return s
}

// targets returns the subscribers as a list, which is made anew after they have changed. The hub is locked, for reading
// at least.
func (ch *channel) targets() []target {
	if list := ch.list.Load(); list != nil {
		return *list
	}
	list := make([]target, 0, len(ch.subs))
	for c, s := range ch.subs {
		list = append(list, target{c, s.since})
	}
	ch.list.Store(&list)
	return list
}

// infos returns what the members show of themselves.
func (ch *channel) infos() map[string]json.RawMessage {
	infos := make(map[string]json.RawMessage, len(ch.members))
	for id, m := range ch.members {
		infos[id] = m.info
	}
	return infos
}

// occupied returns the state of the channels whose names begin with prefix.
func (h *hub) occupied(prefix string) map[realtime.Channel]channelState {
	h.mu.RLock()
	defer h.mu.RUnlock()
	all := make(map[realtime.Channel]channelState)
	for name := range h.channels {
		if strings.HasPrefix(string(name), prefix) && !isPersonal(name) {
			all[name] = h.stateOf(name)
		}
	}
	for name := range h.away.channels {
		if strings.HasPrefix(string(name), prefix) && name[0] != '#' {
			all[name] = h.stateOf(name)
		}
	}
	return all
}

// state returns that of one channel.
func (h *hub) state(name realtime.Channel) channelState {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.stateOf(name)
}

func (h *hub) stateOf(name realtime.Channel) channelState {
	st := channelState{cached: h.remembered(name), subscriptions: h.everywhere(name)}
	if name.Kind() == realtime.KindPresence {
		st.users = len(h.usersOf(name))
	}
	return st
}

// users returns the ids of a presence channel's members.
func (h *hub) users(name realtime.Channel) []string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.usersOf(name)
}

func (h *hub) usersOf(name realtime.Channel) []string {
	var ids []string
	ch := h.channels[name]
	if ch != nil {
		ids = slices.AppendSeq(ids, maps.Keys(ch.members))
	}
	if a := h.away.channels[name]; a != nil {
		for id := range a.members {
			if ch == nil || ch.members[id] == nil {
				ids = append(ids, id)
			}
		}
	}
	return ids
}
