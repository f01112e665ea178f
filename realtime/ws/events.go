package ws

import (
	"log/slog"
	"sync"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// noticeKind says what has happened. The values are the event names of the protocol's webhooks (Pusher Channels
// documentation, "Webhooks").
type noticeKind string

const (
	noticeOccupied          noticeKind = "channel_occupied"   // the first subscriber has come
	noticeVacated           noticeKind = "channel_vacated"    // the last one has gone
	noticeMemberAdded       noticeKind = "member_added"       // a user's first connection is on a presence channel
	noticeMemberRemoved     noticeKind = "member_removed"     // a user's last one has left it
	noticeClientEvent       noticeKind = "client_event"       // a client has sent an event to the others
	noticeCacheMiss         noticeKind = "cache_miss"         // somebody subscribed to a cache channel that was empty
	noticeSubscriptionCount noticeKind = "subscription_count" // the number of subscribers has changed
)

// notice is something that has happened on a channel. Fields that do not belong to the kind are empty.
type notice struct {
	kind    noticeKind
	channel realtime.Channel
	// userID is the member's, or on a presence channel that of a client event's sender.
	userID string
	// event, data and socketID are those of a client event. data is what receivers get: the content of a JSON string, or
	// the JSON text of any other value.
	event    string
	data     string
	socketID realtime.SocketID
	// count is the number of subscribers.
	count int
}

// noticeLog hands notices to one receiver, in the order in which the hub's state changed, one at a time, and with no
// lock held. The hub writes while it holds its lock and delivers after it has released it.
type noticeLog struct {
	to       func(notice)                     // nil when nobody listens; set before the first connection. It must not block.
	takeBack func(since time.Time) []heldBack // what the receiver holds and has not told anybody; nil if it never does
	panicked func(any, ...slog.Attr)          // logs a panic of to

	mu         sync.Mutex // guards what follows; nothing is called with it held
	waiting    []notice
	delivering bool
	quiet      sync.Cond  // of delivering
	mute       bool       // another node speaks for this one
	unsaid     []heldBack // and has perhaps not said the last of these
}

// heldBack is a notice that is not given yet: because another node is to give it, or because it may be withdrawn.
type heldBack struct {
	notice
	at time.Time
}

const (
	maxUnsaid = 10_000
	unsaidFor = 20 * time.Second // longer than it takes to find out that a node has died, and webhookHold
)

func newNoticeLog() *noticeLog {
	l := new(noticeLog)
	l.quiet.L = &l.mu
	return l
}

// own reports whether a notice is the affair of the node on which it happens. Of all others every node knows.
func (n notice) own() bool { return n.kind == noticeClientEvent || n.kind == noticeCacheMiss }

// add writes a notice down. The caller may hold the hub's lock, which is what makes the order the state's.
func (l *noticeLog) add(n notice) {
	if l.to == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mute && !n.own() {
		now := time.Now()
		i := max(0, len(l.unsaid)+1-maxUnsaid)
		for i < len(l.unsaid) && now.Sub(l.unsaid[i].at) > unsaidFor {
			i++
		}
		l.unsaid = append(l.unsaid[i:], heldBack{n, now})
		return
	}
	l.waiting = append(l.waiting, n)
}

// speak has this node give the notices that concern all. Of those that it has held back it gives the ones after since,
// because perhaps nobody has.
func (l *noticeLog) speak(since time.Time) {
	l.mu.Lock()
	l.mute = false
	l.waiting = append(l.waiting, inherited(l.unsaid, since)...)
	l.unsaid = nil
	l.mu.Unlock()
	l.deliver()
}

// hush leaves the notices that concern all to another node, and what the receiver holds from after since too.
func (l *noticeLog) hush(since time.Time) {
	l.mu.Lock()
	l.mute = true
	l.mu.Unlock()
	l.deliver()
	if l.takeBack == nil {
		return
	}
	l.mu.Lock()
	for l.delivering { // another goroutine may be about to hand over one more
		l.quiet.Wait()
	}
	l.mu.Unlock()
	back := l.takeBack(since)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unsaid = append(back, l.unsaid...)
}

// inherited is what a node has to say that takes over from another: all after since, and who has left within the time
// before for which the other one may have held that back, unless they have come again.
func inherited(unsaid []heldBack, since time.Time) (say []notice) {
	away := make(map[heldKey]notice)
	var order []heldKey
	for _, h := range unsaid {
		switch key := keyOf(h.notice); {
		case h.at.After(since):
			say = append(say, h.notice)
		case !h.at.After(since.Add(-webhookHold)):
		case h.kind == noticeVacated || h.kind == noticeMemberRemoved:
			away[key], order = h.notice, append(order, key)
		case h.kind == noticeOccupied || h.kind == noticeMemberAdded:
			delete(away, key)
		}
	}
	var left []notice
	for _, key := range order {
		if n, ok := away[key]; ok {
			left = append(left, n)
			delete(away, key)
		}
	}
	return append(left, say...)
}

// deliver hands over what waits. When another goroutine is at it, that one does this caller's share too.
func (l *noticeLog) deliver() {
	if l.to == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.delivering {
		return
	}
	l.delivering = true
	for len(l.waiting) > 0 {
		batch := l.waiting
		l.waiting = nil
		l.mu.Unlock()
		for _, n := range batch {
			l.hand(n)
		}
		l.mu.Lock()
	}
	l.delivering = false
	l.quiet.Broadcast()
}

// hand keeps a panic of the receiver's from the connection that happened to deliver.
func (l *noticeLog) hand(n notice) {
	defer func() {
		if p := recover(); p != nil {
			l.panicked(p, slog.String("notice", string(n.kind)))
		}
	}()
	l.to(n)
}
