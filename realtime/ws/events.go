package ws

import (
	"log/slog"
	"sync"

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
	to       func(notice)            // nil when nobody listens; set before the first connection. It must not block.
	panicked func(any, ...slog.Attr) // logs a panic of to

	mu         sync.Mutex // guards what follows; nothing is called with it held
	waiting    []notice
	delivering bool
}

// add writes a notice down. The caller may hold the hub's lock, which is what makes the order the state's.
func (l *noticeLog) add(n notice) {
	if l.to == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, n)
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
