package ws

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// Attributes that a caller may ask for with info.
const (
	attrUserCount         = "user_count"         // presence channels only
	attrSubscriptionCount = "subscription_count" // all channels
	attrCache             = "cache"              // cache channels only
)

// channelInfo is what an answer says about one channel.
type channelInfo map[string]any

// info collects the attributes that ch has; the others are left out, because one call can ask about channels of
// different kinds.
func info(ch realtime.Channel, state channelState, attrs []string) channelInfo {
	info := channelInfo{}
	for _, attr := range attrs {
		switch attr {
		case attrUserCount:
			if ch.Kind() == realtime.KindPresence {
				info[attr] = state.users
			}
		case attrSubscriptionCount:
			info[attr] = state.subscriptions
		case attrCache:
			info[attr] = cacheInfo(state.cached)
		}
	}
	return info
}

// cacheInfo is the last event of a cache channel, or nil when it has none. Its time is in seconds, and not 0 as long
// as the event is there.
func cacheInfo(last *cachedEvent) any {
	if last == nil {
		return nil
	}
	return map[string]any{"data": last.data, "ttl": int((last.ttl + time.Second - 1) / time.Second)}
}

// apiChannels lists the channels that have a subscriber.
func (s *Server) apiChannels(c apiCall) (any, error) {
	attrs, err := apiInfo(c.params["info"], attrUserCount, attrSubscriptionCount)
	if err != nil {
		return nil, err
	}
	prefix := c.params["filter_by_prefix"]
	if slices.Contains(attrs, attrUserCount) && !strings.HasPrefix(prefix, "presence-") {
		return nil, badRequest("user_count may only be requested for presence channels - " +
			"please supply filter_by_prefix beginning with presence-")
	}
	channels := map[realtime.Channel]channelInfo{}
	for ch, state := range s.occupiedChannels(prefix) {
		channels[ch] = info(ch, state, attrs)
	}
	return map[string]any{"channels": channels}, nil
}

// apiChannel describes one channel. One that nobody has ever heard of is a channel without subscribers.
func (s *Server) apiChannel(c apiCall) (any, error) {
	ch, err := apiChannelName(c.name)
	if err != nil {
		return nil, err
	}
	attrs, err := apiInfo(c.params["info"], attrUserCount, attrSubscriptionCount, attrCache)
	switch {
	case err != nil:
		return nil, err
	case slices.Contains(attrs, attrUserCount) && ch.Kind() != realtime.KindPresence:
		return nil, badRequest("Cannot retrieve the user count unless the channel is a presence channel")
	case slices.Contains(attrs, attrCache) && !pusherproto.IsCache(ch):
		return nil, badRequest("Cannot retrieve the cache unless the channel is a cache channel")
	}
	state := s.channelState(ch)
	answer := info(ch, state, attrs)
	answer["occupied"] = state.subscriptions > 0
	return answer, nil
}

// apiUsers lists the members of a presence channel.
func (s *Server) apiUsers(c apiCall) (any, error) {
	ch, err := apiChannelName(c.name)
	if err != nil {
		return nil, err
	}
	if ch.Kind() != realtime.KindPresence {
		return nil, badRequest("Users can only be retrieved for presence channels")
	}
	type user struct {
		ID string `json:"id"`
	}
	users := []user{}
	for _, id := range s.channelUsers(ch) {
		users = append(users, user{id})
	}
	return map[string]any{"users": users}, nil
}

// apiTerminate ends the connections that are signed in as a user.
func (s *Server) apiTerminate(c apiCall) (any, error) {
	if len(c.name) > pusherproto.MaxUserID || !utf8.ValidString(c.name) {
		return nil, badRequest("The user id is malformed")
	}
	if err := s.TerminateUser(c.ctx, c.name); err != nil {
		s.cfg.Logger.Warn("ws: connections of a user may be left on other nodes", slog.Any("err", err))
		return nil, &apiRefusal{http.StatusServiceUnavailable, "Connections of the user may be left on other servers"}
	}
	return nil, nil
}

// apiChannelName checks a channel name in the path. One of a user's own channels may be asked about too.
func apiChannelName(name string) (realtime.Channel, error) {
	if _, ok := pusherproto.ParseUserChannel(name); ok {
		return realtime.Channel(name), nil
	}
	ch, err := realtime.ParseChannel(name)
	if err != nil {
		return "", badRequest("The channel name is malformed")
	}
	return ch, nil
}
