package ws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
	"github.com/murph-chat/murph/realtime/ws/internal/cluster"
)

// maxWatchlist is how many people one connection may watch (Pusher Channels documentation, "Watchlist events").
const maxWatchlist = 100

// person is what the hub keeps of a user who is connected, or watched by somebody who is.
type person struct {
	conns    map[*conn]int // how many subscriptions and sign-ins tie each to the user
	online   int           // connections that are signed in
	watchers map[*conn]struct{}
}

// identity is who a connection is signed in as. The zero value is nobody.
type identity struct {
	id       string
	info     json.RawMessage
	watching []string
}

func (h *hub) person(id string) *person {
	p := h.people[id]
	if p == nil {
		p = &person{conns: make(map[*conn]int, 1)}
		h.people[id] = p
	}
	return p
}

// release forgets a person of whom nothing is left.
func (h *hub) release(id string) {
	if p := h.people[id]; p != nil && len(p.conns) == 0 && len(p.watchers) == 0 {
		delete(h.people, id)
	}
}

// attach ties c to the user, if there is one. h.mu must be held.
func (h *hub) attach(c *conn, id string) {
	if id != "" {
		h.person(id).conns[c]++
	}
}

// mayConnect reports whether one more connection may sign in as the user. h.mu
// must be held.
func (h *hub) mayConnect(id string) bool {
	p := h.people[id]
	return p == nil || h.cfg.MaxUserConnections < 0 || p.online < h.cfg.MaxUserConnections
}

// detach undoes attach.
func (h *hub) detach(c *conn, id string) {
	p := h.people[id]
	if p == nil {
		return
	}
	if p.conns[c]--; p.conns[c] <= 0 {
		delete(p.conns, c)
	}
	h.release(id)
}

// signIn makes c a connection of the user. A connection keeps the user it has: notSignedIn says that it has another.
// The rest of the answer is in the queue.
func (h *hub) signIn(c *conn, u pusherproto.UserData, answer []byte) (result outcome) {
	h.change(func(h *change) { result = h.signIn(c, u, answer) })
	return result
}

func (h *change) signIn(c *conn, u pusherproto.UserData, answer []byte) outcome {
	switch {
	case c.gone:
		return connectionGone
	case h.rules.forbidUser(u.UserID, c.grantTime(u.IssuedAt)):
		return noLongerAllowed
	case c.user.id == u.UserID:
		h.put(c, answer)
		return subscribed
	case c.user.id != "":
		return notSignedIn
	case !h.mayConnect(u.UserID):
		return tooManyConnections
	}
	h.attach(c, u.UserID)
	p := h.person(u.UserID)
	c.user = identity{id: u.UserID, info: u.Info}
	p.online++
	h.counted(u.UserID, p.online == 1, 1)
	h.put(c, answer)
	if p.online == 1 && !h.away.isOnline(u.UserID) {
		h.announce(p, onlineEvents(u.UserID, true))
	}
	h.watch(c, u.Watchlist)
	return subscribed
}

// watch tells c who of the list is online, and from now on when that changes.
func (h *change) watch(c *conn, list []string) {
	if len(list) == 0 {
		return
	}
	var online, offline []string
	for _, id := range list {
		p := h.person(id)
		if _, twice := p.watchers[c]; twice {
			continue
		}
		if p.watchers == nil {
			p.watchers = make(map[*conn]struct{})
		}
		p.watchers[c] = struct{}{}
		c.user.watching = append(c.user.watching, id)
		if p.online > 0 || h.away.isOnline(id) {
			online = append(online, id)
		} else {
			offline = append(offline, id)
		}
	}
	h.put(c, textFrame(pusherproto.WatchlistEvents(online, offline)))
}

// counted takes down for the other nodes that one more connection is signed in as the user, or, with the sign -1, one
// less. edge says that it is the first one here, or was the last.
func (h *change) counted(id string, edge bool, sign int) {
	h.away.online.Subscriptions += uint64(sign)
	if edge {
		h.away.online.Channels += uint64(sign)
	}
	h.away.touch(realtime.Channel(prefixOnline+id), "")
}

// onlineEvents is what watchers are told of a user.
func onlineEvents(id string, online bool) []byte {
	if online {
		return pusherproto.WatchlistEvents([]string{id}, nil)
	}
	return pusherproto.WatchlistEvents(nil, []string{id})
}

func (h *change) announce(p *person, message []byte) {
	frame := textFrame(message)
	for c := range p.watchers {
		h.put(c, frame)
	}
}

// signOut takes c's user and watchlist away.
func (h *change) signOut(c *conn) {
	for _, id := range c.user.watching {
		delete(h.people[id].watchers, c)
		h.release(id)
	}
	id := c.user.id
	c.user = identity{}
	if id == "" {
		return
	}
	p := h.people[id]
	p.online--
	h.counted(id, p.online == 0, -1)
	if p.online == 0 && !h.away.isOnline(id) {
		h.announce(p, onlineEvents(id, false))
	}
	h.detach(c, id)
}

// terminate makes all grants of the user worthless that were made up to now. It
// returns the connections that are signed in as the user or have a subscription
// that was signed for the user.
func (h *hub) terminate(id string) []*conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rules.terminate(id, time.Now())
	p := h.people[id]
	if p == nil {
		return nil
	}
	return slices.Collect(maps.Keys(p.conns))
}

// SendToUser sends an event to the connections that are signed in as the user and listen to their own channel, as
// pusher-js does after a sign-in. data is JSON. The error matches [realtime.ErrInvalidEvent] when the event is one that
// may not be sent. It is a hint like every broadcast: nil also when nobody is signed in.
func (s *Server) SendToUser(ctx context.Context, userID, name string, data json.RawMessage) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("ws: send to user: %w", err)
	}
	p := publication{channel: pusherproto.UserChannel(userID), name: name, data: string(data)}
	err := p.validate()
	if err == nil && !json.Valid(data) {
		err = fmt.Errorf("%w: the data is not JSON", realtime.ErrInvalidEvent)
	}
	if err != nil {
		return fmt.Errorf("ws: send to user: %w", err)
	}
	ev := realtime.Event{Channel: p.channel, Name: p.name, Data: []byte(p.data)}
	if err := s.deliver(ctx, ev); err != nil {
		return fmt.Errorf("ws: send to user: %w", err)
	}
	return nil
}

// TerminateUser implements [realtime.Terminator]. It closes the connections that
// are signed in as the user, or have a subscription that was signed for the
// user, with 4009, after which clients do not reconnect by themselves. Grants and
// sign-ins from before the call are refused afterwards; a host that wants to keep
// the user out must not sign new ones.
//
// In a cluster it waits for one second at most until the other nodes have
// confirmed that they have done the same. An error says that some have not, or
// that they cannot be reached: connections of the user may then be left.
func (s *Server) TerminateUser(ctx context.Context, userID string) error {
	if userID == "" || len(userID) > pusherproto.MaxUserID {
		return errors.New("ws: terminate user: the user id is empty or too long")
	}
	s.terminateUser(userID)
	if err := s.order(ctx, cluster.Command{CloseUser: userID})(); err != nil {
		return fmt.Errorf("ws: terminate user: %w", err)
	}
	return nil
}
