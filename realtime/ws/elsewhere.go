package ws

import (
	"encoding/json"
	"strings"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/ws/internal/cluster"
)

// elsewhere is what the hub knows of the other nodes' subscriptions, and what it has yet to tell them of its own. It is
// part of the hub, and what it says of a channel changes in one step with what the channel's local subscribers are told.
type elsewhere struct {
	on       bool // the server runs as part of a cluster
	nodes    map[cluster.NodeID]*nodeView
	channels map[realtime.Channel]*away

	changed map[realtime.Channel]map[string]struct{} // and not told yet; the members whose first or last socket it was
	users   int                                      // local members of all channels
	online  cluster.Totals                           // local people who are signed in, as Channels, with their connections
	stir    func(members bool)
}

// nodeView is what one node has said.
type nodeView struct {
	channels map[realtime.Channel]awayState
	totals   cluster.Totals
}

// awayState is what one node has said of one channel.
type awayState struct {
	count int
	users map[string]struct{}
}

// away is what all other nodes together have said of one channel.
type away struct {
	count   int
	members map[string]map[cluster.NodeID]json.RawMessage
}

// prefixOnline makes the name under which the nodes tell each other how many connections are signed in as a user. It is
// not the name of any channel.
const prefixOnline = "#online-"

func newElsewhere() elsewhere {
	return elsewhere{
		nodes:    make(map[cluster.NodeID]*nodeView),
		channels: make(map[realtime.Channel]*away),
		changed:  make(map[realtime.Channel]map[string]struct{}),
	}
}

// count returns how many connections of other nodes are subscribed to name.
func (e *elsewhere) count(name realtime.Channel) int {
	if a := e.channels[name]; a != nil {
		return a.count
	}
	return 0
}

// has reports whether the user is a member of name on another node.
func (e *elsewhere) has(name realtime.Channel, userID string) bool {
	a := e.channels[name]
	return a != nil && len(a.members[userID]) > 0
}

// isOnline reports whether the user is signed in on another node.
func (e *elsewhere) isOnline(userID string) bool {
	return e.count(realtime.Channel(prefixOnline+userID)) > 0
}

// infos adds the members that other nodes have told of. Somebody who is here too is seen as they are here, and of several
// other nodes the same one counts.
func (e *elsewhere) infos(name realtime.Channel, here map[string]json.RawMessage) map[string]json.RawMessage {
	a := e.channels[name]
	if a == nil {
		return here
	}
	for id, nodes := range a.members {
		if _, ok := here[id]; !ok {
			here[id] = infoOf(nodes)
		}
	}
	return here
}

func infoOf(nodes map[cluster.NodeID]json.RawMessage) json.RawMessage {
	first, found := cluster.NodeID(0), false
	for id := range nodes {
		if !found || id < first {
			first, found = id, true
		}
	}
	return nodes[first]
}

// touched takes down that the subscriptions to name have changed. member says that it was the user's first one on this
// node, or the last; then sign is 1 or -1.
func (h *change) touched(name realtime.Channel, userID string, member bool, sign int) {
	if member {
		h.away.users += sign
	} else {
		userID = ""
	}
	h.away.touch(name, userID)
}

// touch takes down what is to be told to the other nodes.
func (e *elsewhere) touch(name realtime.Channel, userID string) {
	if !e.on {
		return
	}
	users, known := e.changed[name]
	if userID != "" {
		if users == nil {
			users = make(map[string]struct{}, 1)
		}
		users[userID] = struct{}{}
	}
	e.changed[name] = users
	if urgent := userID != "" || name[0] == '#'; urgent || !known {
		e.stir(urgent)
	}
}

// tellOthers says whether there is anybody to be told of changes. In the beginning the others ask for everything.
func (h *hub) tellOthers(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.away.on = on
	clear(h.away.changed)
}

// changes returns what the other nodes have not been told yet, or everything there is, and the sums over everything.
func (h *hub) changes(all bool) ([]cluster.State, cluster.Totals) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var states []cluster.State
	if all {
		for name, ch := range h.channels {
			states = append(states, cluster.State{Channel: name, Count: len(ch.subs), Users: ch.infos()})
		}
		for id, p := range h.people {
			if p.online > 0 {
				states = append(states, cluster.State{Channel: realtime.Channel(prefixOnline + id), Count: p.online})
			}
		}
	} else {
		for name, users := range h.away.changed {
			states = append(states, h.stateHere(name, users))
		}
	}
	clear(h.away.changed)
	return states, cluster.Totals{
		Channels:      uint64(len(h.channels)) + h.away.online.Channels,
		Subscriptions: uint64(h.total) + h.away.online.Subscriptions,
		Users:         uint64(h.away.users),
	}
}

// stateHere is what this node says of name, and of the given users in particular.
func (h *hub) stateHere(name realtime.Channel, users map[string]struct{}) cluster.State {
	s := cluster.State{Channel: name}
	if id, ok := strings.CutPrefix(string(name), prefixOnline); ok {
		if p := h.people[id]; p != nil {
			s.Count = p.online
		}
		return s
	}
	ch := h.channels[name]
	if ch != nil {
		s.Count = len(ch.subs)
	}
	for id := range users {
		if ch == nil || ch.members[id] == nil {
			s.Gone = append(s.Gone, id)
			continue
		}
		if s.Users == nil {
			s.Users = make(map[string]json.RawMessage)
		}
		s.Users[id] = ch.members[id].info
	}
	return s
}
