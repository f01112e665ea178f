package chat

import (
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// ResyncEvent builds the event that has the subscribers of a channel fetch what they may have missed, for a transport that
// has lost something and cannot say what: a resync-required with the rev 0. It reports false for every channel but those
// that [consultation.Channel] names.
func ResyncEvent(ch realtime.Channel) (realtime.Event, bool) {
	id, kind, ok := consultation.FromChannel(string(ch))
	if !ok || kind != realtime.KindPrivate {
		return realtime.Event{}, false
	}
	ev, err := ResyncRequired(id, 0)
	return ev, err == nil
}
