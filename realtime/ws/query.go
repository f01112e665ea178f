package ws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// channelState is what there is to know about a channel at one moment.
type channelState struct {
	subscriptions int          // 0 when the channel is vacant
	users         int          // different users, on a presence channel
	cached        *cachedEvent // what a cache channel remembers, or nil
}

// cachedEvent is the last event of a cache channel.
type cachedEvent struct {
	name     string
	data     string        // the content of the frame's data string
	audience string        // see [realtime.Event.Audience]
	ttl      time.Duration // what is left of its time
}

// occupiedChannels returns the channels with at least one subscriber whose names begin with prefix. The users' own
// channels ("#server-to-user-...") are not among them.
func (s *Server) occupiedChannels(prefix string) map[realtime.Channel]channelState {
	return s.hub.occupied(prefix)
}

// channelState returns the state of ch, which need not exist.
func (s *Server) channelState(ch realtime.Channel) channelState { return s.hub.state(ch) }

// channelUsers returns the ids of the members of a presence channel, sorted.
func (s *Server) channelUsers(ch realtime.Channel) []string {
	ids := s.hub.users(ch)
	slices.Sort(ids)
	return ids
}

// publication is an event of the HTTP API. Unlike that of [realtime.Event] its data may be any text, and its channel
// that of a user (pusherproto.UserChannel).
type publication struct {
	channel realtime.Channel
	name    string
	data    string
	except  realtime.SocketID // or ""
}

// errReservedName refuses an event name that the protocol keeps for itself.
var errReservedName = errors.New("the event's name has a prefix that the protocol keeps for itself")

// validate reports what may not be published. The error matches [realtime.ErrInvalidEvent], and [realtime.ErrTooLarge]
// where the size of the data is the reason.
func (p publication) validate() error {
	if _, ok := pusherproto.ParseUserChannel(string(p.channel)); !ok {
		if _, err := realtime.ParseChannel(string(p.channel)); err != nil {
			return fmt.Errorf("%w: %w", realtime.ErrInvalidEvent, err)
		}
	}
	switch {
	case p.name == "" || len(p.name) > realtime.MaxEventName || !utf8.ValidString(p.name) || strings.ContainsRune(p.name, 0):
		return fmt.Errorf("%w: its name is not text of 1 to %d bytes", realtime.ErrInvalidEvent, realtime.MaxEventName)
	case pusherproto.IsReserved(p.name):
		return fmt.Errorf("%w: %w", realtime.ErrInvalidEvent, errReservedName)
	case len(p.data) > realtime.MaxEventData:
		return fmt.Errorf("%w: %w: %d bytes are more than %d", realtime.ErrInvalidEvent, realtime.ErrTooLarge,
			len(p.data), realtime.MaxEventData)
	case !utf8.ValidString(p.data) || strings.ContainsRune(p.data, 0):
		return fmt.Errorf("%w: its data is not text", realtime.ErrInvalidEvent)
	}
	return nil
}

// publish sends p to its subscribers. It never waits for a client, and fails only when this node has left its cluster.
// Call validate first.
func (s *Server) publish(p publication) error {
	ev := realtime.Event{Channel: p.channel, Name: p.name, Data: []byte(p.data), Except: p.except}
	return s.deliver(context.Background(), ev)
}

// terminateUser does this node's part of TerminateUser.
func (s *Server) terminateUser(userID string) {
	for _, c := range s.hub.terminate(userID) {
		c.close(pusherproto.CodeUnauthorized, "Terminated", true)
	}
}
