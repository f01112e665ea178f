package consultation

import (
	"strconv"
	"strings"

	"github.com/murph-chat/murph/realtime"
)

// The channel names of this library are one of these prefixes, then "-" and the consultation's id, or ".", the number of
// the audience and "-" in between. No id can make two of them equal. They are built and parsed in this file only.
const (
	prefixPrivate   = "private-consultation"
	prefixPresence  = "presence-consultation"
	prefixEncrypted = "private-encrypted-consultation"
)

// MaxAudience is the highest number of an audience. With it and an id of [MaxIDLength] bytes the longest channel name
// has the 164 bytes that hosted Pusher Channels allows.
const MaxAudience = 9999

// Audience is the set of users who may listen to a consultation, as of one version of its row. Events that are sent to
// its channels reach this set at most.
type Audience struct {
	// Number counts the audiences of the consultation from 1 to [MaxAudience]. It is part of the channel names, so that
	// a subscription to an earlier audience's channel gets nothing more. Below 1 it means 1.
	Number int
	// UserIDs holds the ids of the patient and the assigned student, separated by a space.
	UserIDs string
}

// String returns the audience for [realtime.Event].Audience: the ids, and from the second audience on the number, which
// tells apart two audiences of the same users. It cannot be taken for an id.
func (a Audience) String() string {
	if a.Number <= 1 {
		return a.UserIDs
	}
	return a.UserIDs + " #" + strconv.Itoa(a.Number)
}

// NewAudience returns the audience of a patient and the assigned student, "" if nobody is assigned. It is for stores.
func NewAudience(number int, patient, student UserID) Audience {
	ids := string(patient)
	if student != "" {
		ids += " " + string(student)
	}
	return Audience{Number: max(number, 1), UserIDs: ids}
}

// Channel returns the name of the channel for the events of a consultation: "private-consultation-<id>" for the first
// audience, "private-consultation.2-<id>" for the second, and so on.
func Channel(id ID, audience int) realtime.Channel { return channel(prefixPrivate, id, audience) }

// PresenceChannel returns the name of the channel that shows who is connected and who is typing, like
// "presence-consultation-<id>".
func PresenceChannel(id ID, audience int) realtime.Channel {
	return channel(prefixPresence, id, audience)
}

// EncryptedChannel returns the name of the channel for sealed events, like "private-encrypted-consultation-<id>".
func EncryptedChannel(id ID, audience int) realtime.Channel {
	return channel(prefixEncrypted, id, audience)
}

func channel(prefix string, id ID, audience int) realtime.Channel {
	if audience > 1 {
		prefix += "." + strconv.Itoa(audience)
	}
	return realtime.Channel(prefix + "-" + string(id))
}

// ChannelName is a channel name in parts.
type ChannelName struct {
	ID       ID                   // the consultation
	Audience int                  // the number of the audience, from 1
	Kind     realtime.ChannelKind // private, presence or encrypted
}

// FromChannel parses a name that [Channel], [PresenceChannel] or [EncryptedChannel] returned, for example in a webhook.
// It reports false for every other name, also for one that only looks similar: no other name may be signed.
func FromChannel(name string) (ChannelName, bool) {
	for _, p := range [...]struct {
		prefix string
		kind   realtime.ChannelKind
	}{
		{prefixPrivate, realtime.KindPrivate},
		{prefixPresence, realtime.KindPresence},
		{prefixEncrypted, realtime.KindEncrypted},
	} {
		rest, found := strings.CutPrefix(name, p.prefix)
		if !found {
			continue
		}
		audience, id, found := parseAudience(rest)
		if !found {
			return ChannelName{}, false
		}
		_, err := ParseID(string(id))
		return ChannelName{ID: id, Audience: audience, Kind: p.kind}, err == nil
	}
	return ChannelName{}, false
}

// parseAudience parses what follows the prefix of a channel name: "-<id>" or ".<number>-<id>".
func parseAudience(rest string) (audience int, id ID, ok bool) {
	if id, ok := strings.CutPrefix(rest, "-"); ok {
		return 1, ID(id), true
	}
	rest, ok = strings.CutPrefix(rest, ".")
	if !ok {
		return 0, "", false
	}
	number, text, ok := strings.Cut(rest, "-")
	if !ok {
		return 0, "", false
	}
	audience, err := strconv.Atoi(number)
	if err != nil || audience < 2 || audience > MaxAudience || strconv.Itoa(audience) != number {
		return 0, "", false // every channel has one name
	}
	return audience, ID(text), true
}

// FixedChannel returns the name that a consultation's channel has for the first audience, and every other name as it
// is. Give it to the transport (ws.Config.FixedChannel, pusher.Config.FixedChannel) and set
// httpadapter.Transport.FixedChannels if the host's own front end builds channel names. Then only the transport keeps
// users who left the audience from hearing more: package ws compares each subscription with the audience of each event,
// and hosted Pusher must not carry the content. [Service.Suspend] depends on the
// transport alone then.
func FixedChannel(ch realtime.Channel) realtime.Channel {
	name, ok := FromChannel(string(ch))
	if !ok || name.Audience == 1 {
		return ch
	}
	switch name.Kind {
	case realtime.KindPresence:
		return PresenceChannel(name.ID, 1)
	case realtime.KindEncrypted:
		return EncryptedChannel(name.ID, 1)
	}
	return Channel(name.ID, 1)
}
