package ws

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
	"github.com/murph-chat/murph/realtime/ws/internal/cluster"
)

// mergeStep is how many channels change in one go, because nobody else gets at the hub meanwhile.
const mergeStep = 1000

// merge takes over what a node says of its channels, and tells the local subscribers what that changes for them. Of one
// node it is called by one goroutine.
func (h *hub) merge(node cluster.NodeID, states []cluster.State, whole bool) (totals cluster.Totals) {
	if whole {
		states = append(h.unnamed(node, states), states...)
	}
	for step := range slices.Chunk(states, mergeStep) {
		h.change(func(h *change) {
			view := h.away.nodes[node]
			if view == nil {
				view = &nodeView{channels: make(map[realtime.Channel]awayState)}
				h.away.nodes[node] = view
			}
			for _, s := range step {
				h.mergeState(node, view, s, whole)
			}
			if len(view.channels) == 0 {
				delete(h.away.nodes, node)
			}
		})
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	if view := h.away.nodes[node]; view != nil {
		totals = view.totals
	}
	return totals
}

// unnamed returns the end of all channels that the node has told of before and does not name now.
func (h *hub) unnamed(node cluster.NodeID, states []cluster.State) []cluster.State {
	h.mu.RLock()
	defer h.mu.RUnlock()
	view := h.away.nodes[node]
	if view == nil {
		return nil
	}
	named := make(map[realtime.Channel]struct{}, len(states))
	for _, s := range states {
		named[s.Channel] = struct{}{}
	}
	var gone []cluster.State
	for name := range view.channels {
		if _, ok := named[name]; !ok {
			gone = append(gone, cluster.State{Channel: name})
		}
	}
	return gone
}

// mergeState takes over the state of one channel. When it is the whole of it, users who are not named are not there.
func (h *change) mergeState(node cluster.NodeID, view *nodeView, s cluster.State, whole bool) {
	name, known := s.Channel, view.channels[s.Channel]
	if s.Count == 0 && known.count == 0 {
		return
	}
	a := h.away.channels[name]
	if a == nil {
		a = &away{members: make(map[string]map[cluster.NodeID]json.RawMessage)}
		h.away.channels[name] = a
	}
	before := h.everywhere(name)
	if known.count == 0 {
		known.users = make(map[string]struct{}, len(s.Users))
		view.totals.Channels++
	}
	if s.Count == 0 {
		s.Users, whole = nil, true
	}
	for id := range known.users {
		if _, stays := s.Users[id]; whole && !stays {
			s.Gone = append(s.Gone, id)
		}
	}
	for id, info := range s.Users {
		if _, was := known.users[id]; !was {
			known.users[id] = struct{}{}
			view.totals.Users++
		}
		h.cameAway(node, a, name, realtime.Member{UserID: id, Info: info})
	}
	for _, id := range s.Gone {
		if _, was := known.users[id]; was {
			delete(known.users, id)
			view.totals.Users--
			h.leftAway(node, a, name, id)
		}
	}
	a.count += s.Count - known.count
	view.totals.Subscriptions += uint64(s.Count) - uint64(known.count) // modulo 2^64 where it is less
	known.count = s.Count
	view.channels[name] = known
	if s.Count == 0 {
		delete(view.channels, name)
		view.totals.Channels--
	}
	if a.count == 0 {
		delete(h.away.channels, name)
	}
	h.countedAway(name, before)
}

// cameAway is when a node has a member of a presence channel.
func (h *change) cameAway(node cluster.NodeID, a *away, name realtime.Channel, m realtime.Member) {
	was := h.isMember(name, m.UserID)
	if a.members[m.UserID] == nil {
		a.members[m.UserID] = make(map[cluster.NodeID]json.RawMessage, 1)
	}
	a.members[m.UserID][node] = m.Info
	if was {
		return
	}
	h.notices.add(notice{kind: noticeMemberAdded, channel: name, userID: m.UserID})
	if ch := h.channels[name]; ch != nil {
		h.tell(ch, nil, textFrame(pusherproto.MemberAdded(name, m)))
	}
}

// leftAway is when a node has that member no longer.
func (h *change) leftAway(node cluster.NodeID, a *away, name realtime.Channel, userID string) {
	delete(a.members[userID], node)
	if len(a.members[userID]) == 0 {
		delete(a.members, userID)
	}
	if h.isMember(name, userID) {
		return
	}
	h.notices.add(notice{kind: noticeMemberRemoved, channel: name, userID: userID})
	if ch := h.channels[name]; ch != nil {
		h.tell(ch, nil, textFrame(pusherproto.MemberRemoved(name, userID)))
	}
}

// countedAway is when a node has told how many subscribers it has now.
func (h *change) countedAway(name realtime.Channel, before int) {
	after := h.everywhere(name)
	if userID, ok := strings.CutPrefix(string(name), prefixOnline); ok {
		if p := h.people[userID]; p != nil && (before == 0) != (after == 0) {
			h.announce(p, onlineEvents(userID, after > 0))
		}
		return
	}
	if isPersonal(name) || before == after {
		return
	}
	ch := h.channels[name]
	if ch == nil {
		ch = newChannel(name) // nobody to tell, but the webhooks
	}
	switch {
	case before == 0:
		h.notices.add(notice{kind: noticeOccupied, channel: name})
		h.recount(ch)
	case after == 0:
		h.recount(ch)
		h.notices.add(notice{kind: noticeVacated, channel: name})
	default:
		h.recount(ch)
	}
}

// everywhere returns how many connections are subscribed to name on all nodes, or signed in as the user that it stands
// for.
func (h *hub) everywhere(name realtime.Channel) int {
	n := h.away.count(name)
	if userID, ok := strings.CutPrefix(string(name), prefixOnline); ok {
		if p := h.people[userID]; p != nil {
			n += p.online
		}
		return n
	}
	if ch := h.channels[name]; ch != nil {
		n += len(ch.subs)
	}
	return n
}

// isMember reports whether the user is on the presence channel, on any node.
func (h *hub) isMember(name realtime.Channel, userID string) bool {
	ch := h.channels[name]
	return ch != nil && ch.members[userID] != nil || h.away.has(name, userID)
}

// members returns how many users are on the presence channel, on all nodes.
func (h *hub) members(ch *channel) int {
	n := len(ch.members)
	if a := h.away.channels[ch.name]; a != nil {
		for id := range a.members {
			if ch.members[id] == nil {
				n++
			}
		}
	}
	return n
}
