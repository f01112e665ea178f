package chat

import (
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// ResyncEvent returns the event that makes the subscribers of a channel fetch what they may have missed, for a transport
// that has lost events: a resync-required with the rev 0. It reports false for every channel that [consultation.Channel]
// does not name.
func ResyncEvent(ch realtime.Channel) (realtime.Event, bool) {
	name, ok := consultation.FromChannel(string(ch))
	if !ok || name.Kind != realtime.KindPrivate {
		return realtime.Event{}, false
	}
	return consultation.NewResyncRequired(name.ID, ch, 0), true
}
