package inmem

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/murph-chat/murph/realtime"
)

// Broadcaster carries events within the process. The zero value is ready for use; it must not be copied afterwards.
// All methods are safe for concurrent use. It keeps every event that it has taken, so it is not for production.
type Broadcaster struct {
	mu      sync.Mutex // guards what follows, and the journals of all subscriptions
	taken   journal
	held    []realtime.Event
	subs    map[realtime.Channel][]*Subscription
	inject  func(realtime.Event) Fault
	wakeups chan struct{} // closed and replaced whenever a journal grows
}

var _ realtime.BatchBroadcaster = (*Broadcaster)(nil)

// Broadcast implements [realtime.Broadcaster]. When it returns nil, every subscription has the event, unless a [Fault]
// has kept it back. Errors of an injected fault are returned wrapped.
func (b *Broadcaster) Broadcast(ctx context.Context, ev realtime.Event) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("inmem: broadcast: %w", err)
	}
	if err := ev.Validate(); err != nil {
		return fmt.Errorf("inmem: broadcast: %w", err)
	}
	// The caller may reuse its buffers.
	ev.Data, ev.Thin = slices.Clone(ev.Data), slices.Clone(ev.Thin)

	b.mu.Lock()
	inject := b.inject
	b.mu.Unlock()
	var f Fault
	if inject != nil {
		f = inject(ev)
	}
	if f.Hang {
		<-ctx.Done()
		return fmt.Errorf("inmem: broadcast: %w", ctx.Err())
	}
	if f.Err != nil {
		return fmt.Errorf("inmem: broadcast: %w", f.Err)
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken.add(ev)
	switch {
	case f.Drop:
	case f.Hold:
		b.held = append(b.held, ev)
	default:
		b.deliver(ev)
		if f.Duplicate {
			b.deliver(ev)
		}
	}
	b.wake()
	return nil
}

// BroadcastBatch implements [realtime.BatchBroadcaster] with one Broadcast for
// each event, so that a [Fault] can fail some of them.
func (b *Broadcaster) BroadcastBatch(ctx context.Context, evs []realtime.Event) []error {
	errs := make([]error, len(evs))
	for i, ev := range evs {
		errs[i] = b.Broadcast(ctx, ev)
	}
	return errs
}

// Subscribe adds a connection of the name s to the channel. It gets the events that are delivered from now on, except
// those that name s as [realtime.Event.Except]. Two subscriptions may have the same s, or "". The names are not
// checked: no signature is involved here.
func (b *Broadcaster) Subscribe(ch realtime.Channel, s realtime.SocketID) *Subscription {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.subs == nil {
		b.subs = make(map[realtime.Channel][]*Subscription)
	}
	sub := &Subscription{b: b, channel: ch, socket: s}
	b.subs[ch] = append(b.subs[ch], sub)
	return sub
}

// Events returns all events that Broadcast has taken, in order: also those that nobody was subscribed to, and those
// that a fault has dropped or is holding, but none that it returned an error for.
func (b *Broadcaster) Events() []realtime.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.taken)
}

// Wait returns Events as soon as there are at least n, or what there is and an error that wraps ctx.Err() when ctx
// ends first. It is for code under test that broadcasts from a goroutine of its own.
func (b *Broadcaster) Wait(ctx context.Context, n int) ([]realtime.Event, error) {
	return b.wait(ctx, n, &b.taken)
}

// deliver gives ev to the subscribers. b.mu is held.
func (b *Broadcaster) deliver(ev realtime.Event) {
	for _, sub := range b.subs[ev.Channel] {
		if ev.Except == "" || sub.socket != ev.Except {
			sub.received.add(ev)
		}
	}
}

// wake lets all waiting calls look again. b.mu is held.
func (b *Broadcaster) wake() {
	if b.wakeups != nil {
		close(b.wakeups)
		b.wakeups = nil
	}
}

// wait blocks until j, which b.mu guards, has n entries.
func (b *Broadcaster) wait(ctx context.Context, n int, j *journal) ([]realtime.Event, error) {
	for {
		b.mu.Lock()
		events := slices.Clone(*j)
		if b.wakeups == nil {
			b.wakeups = make(chan struct{})
		}
		wakeups := b.wakeups
		b.mu.Unlock()
		if len(events) >= n {
			return events, nil
		}
		select {
		case <-wakeups:
		case <-ctx.Done():
			return events, fmt.Errorf("inmem: %d of %d events: %w", len(events), n, ctx.Err())
		}
	}
}

// journal is a list of events that only grows.
type journal []realtime.Event

func (j *journal) add(ev realtime.Event) { *j = append(*j, ev) }
