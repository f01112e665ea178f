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
	if h.everywhere(ch.name) <= countAtOnce {
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
		if n := h.everywhere(ch.name); n > countAtOnce && ch.counter.told != n {
			h.tellCount(ch)
		}
	})
}

func (h *change) tellCount(ch *channel) {
	n := h.everywhere(ch.name)
	ch.counter.told = n
	h.notices.add(notice{kind: noticeSubscriptionCount, channel: ch.name, count: n})
	h.tell(ch, nil, textFrame(pusherproto.SubscriptionCount(ch.name, n)))
}
