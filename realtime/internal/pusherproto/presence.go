package pusherproto

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/murph-chat/murph/realtime"
)

// noInfo stands for the info of a member who has none. pusher-js knows only the members that the hash names, and what
// an application reads from an empty object is merely undefined.
var noInfo = json.RawMessage(`{}`)

// PresenceSucceeded makes the answer to a subscription to a presence channel, with the infos of all its members by
// their user ids, the joining one's included (Pusher Channels Protocol, "Presence channel events").
func PresenceSucceeded(ch realtime.Channel, members map[string]json.RawMessage) []byte {
	ids := slices.Sorted(maps.Keys(members))
	data := []byte(`{"presence":{"ids":[`)
	for i, id := range ids {
		if i > 0 {
			data = append(data, ',')
		}
		data = AppendString(data, id)
	}
	data = append(data, `],"hash":{`...)
	for i, id := range ids {
		if i > 0 {
			data = append(data, ',')
		}
		data = append(append(AppendString(data, id), ':'), orNoInfo(members[id])...)
	}
	data = append(data, `},"count":`...)
	data = append(strconv.AppendInt(data, int64(len(ids)), 10), `}}`...)
	return channelFrame(EventSubscriptionSucceeded, ch, data)
}

// MemberAdded tells the others of a presence channel about a new member.
func MemberAdded(ch realtime.Channel, m realtime.Member) []byte {
	data := AppendString([]byte(`{"user_id":`), m.UserID)
	data = append(append(data, `,"user_info":`...), orNoInfo(m.Info)...)
	return channelFrame(EventMemberAdded, ch, append(data, '}'))
}

// MemberRemoved tells them about one who has gone.
func MemberRemoved(ch realtime.Channel, userID string) []byte {
	return channelFrame(EventMemberRemoved, ch, append(AppendString([]byte(`{"user_id":`), userID), '}'))
}

// SubscriptionCount tells the subscribers how many they are. The documentation calls the event
// pusher:subscription_count, which is what pusher-js makes of this one.
func SubscriptionCount(ch realtime.Channel, n int) []byte {
	data := strconv.AppendInt([]byte(`{"subscription_count":`), int64(n), 10)
	return channelFrame(EventSubscriptionCount, ch, append(data, '}'))
}

// CacheMiss tells a new subscriber that a cache channel remembers nothing.
func CacheMiss(ch realtime.Channel) []byte {
	b := append(AppendString([]byte(`{"event":`), EventCacheMiss), `,"channel":`...)
	return append(AppendString(b, string(ch)), '}')
}

// AppendClientEvent appends the frame of an event that a client sends to the others. It is built anew from what the
// protocol knows, so that nothing else of the sender's passes for the server's. data is the JSON value as it was sent,
// or nil; userID is that of the sender's subscription on a presence channel, or "".
func AppendClientEvent(dst []byte, ch realtime.Channel, event string, data json.RawMessage, userID string) []byte {
	dst = AppendString(append(dst, `{"event":`...), event)
	dst = AppendString(append(dst, `,"channel":`...), string(ch))
	if len(data) > 0 {
		dst = append(append(dst, `,"data":`...), data...)
	}
	if userID != "" {
		dst = AppendString(append(dst, `,"user_id":`...), userID)
	}
	return append(dst, '}')
}

func orNoInfo(info json.RawMessage) json.RawMessage {
	if len(info) == 0 {
		return noInfo
	}
	return info
}

// channelFrame makes a frame whose data is a string with JSON in it, as the clients for Swift, Java and .NET need it.
func channelFrame(event string, ch realtime.Channel, data []byte) []byte {
	b := make([]byte, 0, len(event)+len(ch)+len(data)+len(data)/4+64)
	b = AppendString(append(b, `{"event":`...), event)
	b = AppendString(append(b, `,"channel":`...), string(ch))
	return append(AppendString(append(b, `,"data":`...), data), '}')
}
