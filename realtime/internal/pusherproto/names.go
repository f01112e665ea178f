package pusherproto

import (
	"strings"

	"github.com/murph-chat/murph/realtime"
)

// Event names of the protocol (Pusher Channels Protocol, "Events").
const (
	EventConnectionEstablished = "pusher:connection_established" // server: the first frame, carries the socket id
	EventError                 = "pusher:error"                  // server: informs, does not close by itself
	EventPing                  = "pusher:ping"                   // both: must be answered with EventPong
	EventPong                  = "pusher:pong"                   // both
	EventSubscribe             = "pusher:subscribe"              // client
	EventUnsubscribe           = "pusher:unsubscribe"            // client: has no answer
	EventSignin                = "pusher:signin"                 // client
	EventSubscriptionError     = "pusher:subscription_error"     // server: pusher-js hands it to the channel's handlers

	EventSigninSuccess = "pusher:signin_success" // server
	EventCacheMiss     = "pusher:cache_miss"     // server: the channel remembers no event

	// What is sent under the internal prefix pusher-js re-emits, where it does, with "pusher:" in its place.
	EventSubscriptionSucceeded = "pusher_internal:subscription_succeeded"
	EventSubscriptionCount     = "pusher_internal:subscription_count"
	EventMemberAdded           = "pusher_internal:member_added"
	EventMemberRemoved         = "pusher_internal:member_removed"
	EventWatchlist             = "pusher_internal:watchlist_events"
)

// PrefixClientEvent starts the names of the events that clients send to one another.
const PrefixClientEvent = "client-"

// IsReserved reports whether the protocol keeps the event name for itself, so that neither a client nor a publisher
// may use it.
func IsReserved(name string) bool {
	return strings.HasPrefix(name, "pusher:") || strings.HasPrefix(name, "pusher_internal:")
}

// IsCache reports whether ch is a cache channel, one that remembers its last event ("cache-", "private-cache-",
// "private-encrypted-cache-", "presence-cache-").
func IsCache(ch realtime.Channel) bool {
	s := string(ch)
	for _, kind := range []string{"private-encrypted-", "private-", "presence-"} {
		if rest, ok := strings.CutPrefix(s, kind); ok {
			s = rest
			break
		}
	}
	return strings.HasPrefix(s, "cache-")
}

// prefixUserChannel starts the names of the channels that belong to one user each. They are outside the charset of
// [realtime.ParseChannel], so that no grant for one can exist.
const prefixUserChannel = "#server-to-user-"

// UserChannel names the channel of a signed-in user, on which only the application's own servers publish (Pusher
// Channels documentation, "Sending events to authenticated users").
func UserChannel(userID string) realtime.Channel { return realtime.Channel(prefixUserChannel + userID) }

// ParseUserChannel takes a name apart that [UserChannel] has made of a valid user id: 1 to [MaxUserID] bytes out of
// those of a channel name.
func ParseUserChannel(name string) (userID string, ok bool) {
	id, ok := strings.CutPrefix(name, prefixUserChannel)
	return id, ok && id != "" && len(id) <= MaxUserID && realtime.IsNameSafe(id)
}
