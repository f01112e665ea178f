package ws

import (
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// Above countAtOnce subscribers a change of their number is told at most every countPause (Pusher Channels
// documentation, "Subscription counting").
const (
	countAtOnce = 100
	countPause  = 5 * time.Second
)

// recount tells the subscribers of ch how many they are, now or soon. Presence channels have their members instead.
func (h *change) recount(ch *channel) {
	if !h.cfg.SubscriptionCount || ch.members != nil {
		return
	}
	if h.everywhere(ch.name) <= countAtOnce {
		h.tellCount(ch)
		return
	}
	if _, due := h.counting[ch.name]; due {
		return
	}
	h.counting[ch.name] = struct{}{}
	time.AfterFunc(countPause, func() { h.hub.countDue(ch.name) })
}

// countDue is when the pause is over. The number is told even if it is the one from before: somebody may have come in
// the place of another, and know none.
func (h *hub) countDue(name realtime.Channel) {
	h.change(func(h *change) {
		delete(h.counting, name)
		if h.everywhere(name) <= countAtOnce {
			return // it was told at once
		}
		ch := h.channels[name]
		if ch == nil {
			ch = newChannel(name) // nobody here, but the webhooks
		}
		h.tellCount(ch)
	})
}

func (h *change) tellCount(ch *channel) {
	n := h.everywhere(ch.name)
	h.notices.add(notice{kind: noticeSubscriptionCount, channel: ch.name, count: n})
	h.tell(ch, nil, textFrame(pusherproto.SubscriptionCount(ch.name, n)))
}
