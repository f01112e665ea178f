package ws

import (
	"time"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// Above countAtOnce subscribers a change of their number is told at most every countPause (Pusher Channels
// documentation, "Subscription counting").
const (
	countAtOnce = 100
	countPause  = 5 * time.Second
)

// counter is what the subscribers of a channel know of their number.
type counter struct {
	told    int
	pending bool // a timer will tell the next one
}

// recount tells the subscribers of ch how many they are, now or soon. Presence channels have their members instead.
func (h *change) recount(ch *channel) {
	if !h.cfg.SubscriptionCount || ch.members != nil {
		return
	}
	if len(ch.subs) <= countAtOnce {
		h.tellCount(ch)
		return
	}
	if ch.counter.pending {
		return
	}
	ch.counter.pending = true
	time.AfterFunc(countPause, func() { h.hub.countDue(ch) })
}

// countDue is when the pause is over. The channel may be gone by now, or be another one of the same name.
func (h *hub) countDue(ch *channel) {
	h.change(func(h *change) {
		ch.counter.pending = false
		if len(ch.subs) > countAtOnce && ch.counter.told != len(ch.subs) {
			h.tellCount(ch)
		}
	})
}

func (h *change) tellCount(ch *channel) {
	ch.counter.told = len(ch.subs)
	h.notices.add(notice{kind: noticeSubscriptionCount, channel: ch.name, count: len(ch.subs)})
	h.tell(ch, nil, textFrame(pusherproto.SubscriptionCount(ch.name, len(ch.subs))))
}
