package inmem

import (
	"slices"

	"github.com/murph-chat/murph/realtime"
)

// Fault is what happens to one event instead of its delivery. The zero Fault delivers it. Of several set fields the
// first one in this order counts.
type Fault struct {
	Hang      bool  // Broadcast returns only when its context ends, with that error; the event is gone
	Err       error // Broadcast returns it, wrapped; the event is gone
	Drop      bool  // Broadcast returns nil, and nobody gets the event
	Hold      bool  // Broadcast returns nil, and the event waits for Release
	Duplicate bool  // everybody gets the event twice
}

// Inject lets f decide the fate of every event from now on; nil ends that. Events that are held stay held. f is called
// from within Broadcast without any lock, so it may call the Broadcaster's methods, block, or panic, and must be safe
// for concurrent use if Broadcast is called concurrently.
func (b *Broadcaster) Inject(f func(realtime.Event) Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inject = f
}

// FailWith is Inject for errors alone: f returns what Broadcast is to fail with, or nil for the events that go
// through. A nil f ends all faults.
func (b *Broadcaster) FailWith(f func(realtime.Event) error) {
	if f == nil {
		b.Inject(nil)
		return
	}
	b.Inject(func(ev realtime.Event) Fault { return Fault{Err: f(ev)} })
}

// Held returns the events that wait for Release, oldest first.
func (b *Broadcaster) Held() []realtime.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.held)
}

// Release delivers held events to those who are subscribed now. Without arguments it delivers all, oldest first.
// With arguments, which are positions in Held, it delivers those in the order given, and keeps the others; a position
// that is out of range or given twice is ignored.
func (b *Broadcaster) Release(positions ...int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(positions) == 0 {
		for i := range b.held {
			positions = append(positions, i)
		}
	}
	done := make(map[int]bool, len(positions))
	for _, i := range positions {
		if i < 0 || i >= len(b.held) || done[i] {
			continue
		}
		done[i] = true
		b.deliver(b.held[i])
	}
	var rest []realtime.Event
	for i, ev := range b.held {
		if !done[i] {
			rest = append(rest, ev)
		}
	}
	b.held = rest
	b.wake()
}
