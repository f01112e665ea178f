package realtimetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// Harness is what the suite needs to know of a transport. The functions fail the test themselves, and clean up with
// t.Cleanup; they are called from the test's own goroutine.
type Harness struct {
	// New makes a Broadcaster that nobody is subscribed to.
	New func(t *testing.T) realtime.Broadcaster

	// Subscribe opens a new connection to what b broadcasts, subscribed to the channels. When it returns, the
	// subscriptions count: the next event reaches them.
	Subscribe func(t *testing.T, b realtime.Broadcaster, channels ...realtime.Channel) Subscriber

	// Stall makes calls of b.Broadcast hang from now on, as when the network swallows everything. Nil for a transport
	// that has nothing to wait for; what depends on it is skipped.
	Stall func(t *testing.T, b realtime.Broadcaster)
}

// Subscriber is one connection.
type Subscriber struct {
	// ID is the connection's name.
	ID realtime.SocketID
	// Next returns the next event of any of its channels, as soon as there is one, or an error when ctx ends. Of the
	// event the channel, the name and the data count.
	Next func(ctx context.Context) (realtime.Event, error)
	// Close ends the connection.
	Close func()
}

// NextOf makes the Next function of a [Subscriber] for a transport that has delivered when Broadcast returns: each
// argument lists what the connection has received so far on one channel. When there is nothing new, Next fails at once.
func NextOf(received ...func() []realtime.Event) func(context.Context) (realtime.Event, error) {
	seen := make([]int, len(received))
	return func(context.Context) (realtime.Event, error) {
		for i, f := range received {
			if events := f(); len(events) > seen[i] {
				seen[i]++
				return events[seen[i]-1], nil
			}
		}
		return realtime.Event{}, errors.New("realtimetest: no event has been delivered")
	}
}

// patience is how long the suite waits for an event that has to come. A test that passes never waits that long.
const patience = 20 * time.Second

// bench is one Broadcaster under test.
type bench struct {
	*testing.T
	h Harness
	b realtime.Broadcaster
}

func (b *bench) subscribe(channels ...realtime.Channel) Subscriber {
	b.Helper()
	s := b.h.Subscribe(b.T, b.b, channels...)
	b.Cleanup(s.Close)
	return s
}

func (b *bench) broadcast(events ...realtime.Event) {
	b.Helper()
	for i, ev := range events {
		if err := b.b.Broadcast(b.Context(), ev); err != nil {
			b.Fatalf("Broadcast() of event %d = %v, want nil", i, err)
		}
	}
}

// expect reads as many events from s as there are in want and compares them, channel by channel: between two channels
// there is no order. That s gets nothing in between or instead is part of it: what a connection must not get is
// followed by something that it must get.
func (b *bench) expect(s Subscriber, want ...realtime.Event) {
	b.Helper()
	got := map[realtime.Channel][]realtime.Event{}
	for range want {
		ev := b.next(s)
		got[ev.Channel] = append(got[ev.Channel], ev)
	}
	for _, w := range want {
		events := got[w.Channel]
		if len(events) == 0 {
			b.Fatalf("too few events on %s, and too many on other channels", w.Channel)
		}
		if ev := events[0]; ev.Name != w.Name || !sameJSON(ev.Data, w.Data) {
			b.Fatalf("got %s, want %s", describe(ev), describe(w))
		}
		got[w.Channel] = events[1:]
	}
}

func (b *bench) next(s Subscriber) realtime.Event {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	ev, err := s.Next(ctx)
	if err != nil {
		b.Fatalf("waiting for an event: %v", err)
	}
	return ev
}

// describe shortens the data: it is the suite's own and no secret, but may be long.
func describe(ev realtime.Event) string {
	data := string(ev.Data)
	if len(data) > 200 {
		data = fmt.Sprintf("%s... (%d bytes)", data[:200], len(data))
	}
	return fmt.Sprintf("%s on %s: %s", ev.Name, ev.Channel, data)
}

// sameJSON compares values, not bytes: a transport may change the white space.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// message makes the n-th event of a test.
func message(ch realtime.Channel, n int) realtime.Event {
	return realtime.Event{Channel: ch, Name: "new-message", Data: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n))}
}

// except returns ev for all but one connection.
func except(ev realtime.Event, s Subscriber) realtime.Event {
	ev.Except = s.ID
	return ev
}
