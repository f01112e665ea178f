package consultation

import (
	"strings"

	"github.com/murph-chat/murph/realtime"
)

// The prefixes of the channel names that this library builds. They are built and taken apart here and nowhere else.
const (
	prefixPrivate   = "private-consultation-"
	prefixPresence  = "presence-consultation-"
	prefixEncrypted = "private-encrypted-consultation-"
)

// Channel is where the events of a consultation go: "private-consultation-<id>".
func Channel(id ID) realtime.Channel { return realtime.Channel(prefixPrivate + string(id)) }

// PresenceChannel tells who is here and who is typing: "presence-consultation-<id>".
func PresenceChannel(id ID) realtime.Channel { return realtime.Channel(prefixPresence + string(id)) }

// EncryptedChannel carries the events sealed: "private-encrypted-consultation-<id>".
func EncryptedChannel(id ID) realtime.Channel { return realtime.Channel(prefixEncrypted + string(id)) }

// FromChannel takes apart a name that one of [Channel], [PresenceChannel] and [EncryptedChannel] has built. Every other
// name, also one that only looks alike, gives false: nothing but these names may ever be signed.
func FromChannel(name string) (id ID, kind realtime.ChannelKind, ok bool) {
	for _, p := range [...]struct {
		prefix string
		kind   realtime.ChannelKind
	}{
		{prefixPrivate, realtime.KindPrivate},
		{prefixPresence, realtime.KindPresence},
		{prefixEncrypted, realtime.KindEncrypted},
	} {
		if rest, found := strings.CutPrefix(name, p.prefix); found {
			id, err := ParseID(rest)
			return id, p.kind, err == nil
		}
	}
	return "", 0, false
}
