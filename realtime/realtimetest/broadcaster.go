package realtimetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// Run holds a transport to every sentence of [realtime.Broadcaster], and of
// [realtime.BatchBroadcaster] if it implements that, as subtests of t that run
// in parallel. A failure names the sentence. Run sends at most 64 events to a
// connection that does not read them.
func Run(t *testing.T, h Harness) {
	for _, c := range clauses {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if t.Failed() {
					t.Log("violates realtime.Broadcaster, sentence " + c.sentence)
				}
			}()
			c.check(&bench{T: t, h: h, b: h.New(t)})
		})
	}
}

// clauses are the sentences of the contract, in its order.
var clauses = []struct {
	name, sentence string
	check          func(*bench)
}{
	{"Taken", "1: a nil error means that the transport took the event", checkTaken},
	{"AtMostOnce", "1: delivery is at most once", checkAtMostOnce},
	{"FanOut", "2: the event goes to every connection subscribed to its channel", checkFanOut},
	{"Except", "2: but the one named by Except", checkExcept},
	{"Payload", "2: the event goes to every connection, as it is", checkPayload},
	{"Order", "3: two calls, one after the other, are delivered in that order", checkOrder},
	{"EndedContext", "4: with a ctx that has already ended, nothing is sent", checkEndedContext},
	{"Stalled", "4: the call returns when ctx ends", checkStalled},
	{"Invalid", "5: an event that Validate refuses is refused with ErrInvalidEvent", checkInvalid},
	{"Permanent", "6: a failure that repeating cannot mend is permanent", checkPermanent},
	{"Concurrent", "7: it is safe for concurrent use", checkConcurrent},
	{"Batch", "8: BroadcastBatch returns one error for each event, nil if the transport took it", checkBatch},
	{"BatchOrder", "9: events of one batch for one channel are delivered in their order", checkBatchOrder},
	{"BatchInvalid", "10: an invalid event does not keep the others of its batch from being sent", checkBatchInvalid},
}

const (
	public  realtime.Channel = "murph-conformance"
	private realtime.Channel = "private-murph-conformance"
	other   realtime.Channel = "private-murph-conformance-other"
)

func checkTaken(b *bench) {
	b.broadcast(message(private, 1)) // nobody is there
	s := b.subscribe(private)
	b.broadcast(message(private, 2))
	b.expect(s, message(private, 2)) // and nothing of what was before
}

func checkAtMostOnce(b *bench) {
	s := b.subscribe(private)
	b.broadcast(message(private, 1), message(private, 2))
	b.expect(s, message(private, 1), message(private, 2))
}

func checkFanOut(b *bench) {
	first, second := b.subscribe(private), b.subscribe(private, public)
	third := b.subscribe(other)
	b.broadcast(message(private, 1), message(public, 2), message(other, 3), message(private, 4))
	b.expect(first, message(private, 1), message(private, 4))
	b.expect(second, message(private, 1), message(public, 2), message(private, 4))
	b.expect(third, message(other, 3))

	first.Close()
	b.broadcast(message(private, 5))
	b.expect(second, message(private, 5))
}

func checkExcept(b *bench) {
	first, second := b.subscribe(private, other), b.subscribe(private)
	b.broadcast(except(message(private, 1), first), except(message(private, 2), second), message(private, 3))
	b.expect(first, message(private, 2), message(private, 3))
	b.expect(second, message(private, 1), message(private, 3))

	unknown := message(private, 4)
	unknown.Except = "1.1"
	b.broadcast(unknown, except(message(other, 5), second)) // who is not subscribed cannot be left out
	b.expect(first, message(private, 4), message(other, 5))
	b.expect(second, message(private, 4))
}

func checkPayload(b *bench) {
	s := b.subscribe(private)
	for _, data := range []string{
		`{}`, `[]`, `null`, `""`, `0`, `{"content":"Grüße, 世界 👩‍⚕️"}`, `{"a":"\"\\\/\b\f\n\r\t\u0001"}`,
		`{"html":"<script>&amp;</script>"}`, "{\"separators\":\"\u2028\u2029\"}", `{"nested":"{\"data\":\"{}\"}"}`,
		`{ "white" : [ 1 , 2.5e3 ] }`, `"` + strings.Repeat("x", realtime.MaxEventData-2) + `"`,
	} {
		ev := realtime.Event{Channel: private, Name: "new-message", Data: json.RawMessage(data)}
		b.broadcast(ev)
		b.expect(s, ev)
	}
	ev := message(private, 1)
	ev.Name = strings.Repeat("ü", realtime.MaxEventName/2)
	b.broadcast(ev)
	b.expect(s, ev)
}

func checkOrder(b *bench) {
	const n = 20
	first, second := b.subscribe(private, other), b.subscribe(private)
	var onPrivate, onBoth []realtime.Event
	for i := range n {
		onPrivate = append(onPrivate, message(private, i))
		onBoth = append(onBoth, message(private, i), message(other, i))
	}
	b.broadcast(onBoth...)
	b.expect(first, onBoth...)
	b.expect(second, onPrivate...)
}

func checkEndedContext(b *bench) {
	s := b.subscribe(private)
	cancelled, cancel := context.WithCancel(b.Context())
	cancel()
	expired, cancel := context.WithDeadline(b.Context(), time.Unix(1, 0))
	defer cancel()
	for _, ctx := range []context.Context{cancelled, expired} {
		if err := b.b.Broadcast(ctx, message(private, 1)); !errors.Is(err, ctx.Err()) {
			b.Errorf("Broadcast() = %v, want %v", err, ctx.Err())
		}
	}
	b.broadcast(message(private, 2))
	b.expect(s, message(private, 2))
}

func checkStalled(b *bench) {
	if b.h.Stall == nil {
		b.Skip("the transport has nothing to wait for (Harness.Stall is nil)")
	}
	b.h.Stall(b.T, b.b)
	ctx, cancel := context.WithCancel(b.Context())
	result := make(chan error, 1)
	go func() { result <- b.b.Broadcast(ctx, message(private, 1)) }()
	cancel()
	select {
	case err := <-result:
		if !errors.Is(err, context.Canceled) {
			b.Errorf("Broadcast() = %v, want %v", err, context.Canceled)
		}
	case <-time.After(patience):
		b.Fatal("Broadcast() does not return although its context has ended")
	}
}

// invalidEvents are events that no transport may take.
func invalidEvents() map[string]realtime.Event {
	events := map[string]realtime.Event{}
	add := func(what string, change func(*realtime.Event)) {
		ev := message(private, 1)
		change(&ev)
		events[what] = ev
	}
	add("no channel", func(ev *realtime.Event) { ev.Channel = "" })
	add("a channel outside the charset", func(ev *realtime.Event) { ev.Channel = ":user::1" })
	add("a channel too long", func(ev *realtime.Event) {
		ev.Channel = realtime.Channel(strings.Repeat("a", realtime.MaxChannelLength+1))
	})
	add("no name", func(ev *realtime.Event) { ev.Name = "" })
	add("a name too long", func(ev *realtime.Event) { ev.Name = strings.Repeat("a", realtime.MaxEventName+1) })
	add("a name of the protocol's", func(ev *realtime.Event) { ev.Name = "pusher:ping" })
	add("an internal name of the protocol's", func(ev *realtime.Event) { ev.Name = "pusher_internal:member_added" })
	add("no data", func(ev *realtime.Event) { ev.Data = nil })
	add("data that is not JSON", func(ev *realtime.Event) { ev.Data = json.RawMessage(`{"a":`) })
	add("data that is not UTF-8", func(ev *realtime.Event) { ev.Data = json.RawMessage("\"\xff\"") })
	add(tooLarge, func(ev *realtime.Event) {
		ev.Data = json.RawMessage(`"` + strings.Repeat("x", realtime.MaxEventData-1) + `"`)
	})
	return events
}

const tooLarge = "data too large"

func checkInvalid(b *bench) {
	s := b.subscribe(private)
	for what, ev := range invalidEvents() {
		err := b.b.Broadcast(b.Context(), ev)
		if !errors.Is(err, realtime.ErrInvalidEvent) {
			b.Errorf("Broadcast() of an event with %s = %v, want ErrInvalidEvent", what, err)
		}
		if what == tooLarge && !errors.Is(err, realtime.ErrTooLarge) {
			b.Errorf("Broadcast() of an event with %s = %v, want ErrTooLarge too", what, err)
		}
	}
	b.broadcast(message(private, 2))
	b.expect(s, message(private, 2))
}

func checkPermanent(b *bench) {
	for what, ev := range invalidEvents() {
		err := b.b.Broadcast(b.Context(), ev)
		var permanent *realtime.PermanentError
		if !errors.Is(err, realtime.ErrInvalidEvent) && !errors.As(err, &permanent) {
			b.Errorf("Broadcast() of an event with %s = %v, want it to be permanent", what, err)
		}
		if again := b.b.Broadcast(b.Context(), ev); again == nil {
			b.Errorf("Broadcast() of an event with %s = nil when repeated", what)
		}
	}
}

func checkConcurrent(b *bench) {
	const senders, each = 6, 8
	s := b.subscribe(private)
	errs := make(chan error, senders)
	var wg sync.WaitGroup
	for sender := range senders {
		wg.Go(func() {
			for i := range each {
				if err := b.b.Broadcast(b.Context(), message(private, sender*each+i)); err != nil {
					errs <- fmt.Errorf("sender %d: %w", sender, err)
					return
				}
			}
		})
	}
	for range 4 { // people come and go meanwhile
		b.subscribe(private, other).Close()
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		b.Error(err)
	}
	var next [senders]int // each sender's events arrive in its order, whatever the others do
	for range senders * each {
		var data struct{ N int }
		if ev := b.next(s); json.Unmarshal(ev.Data, &data) != nil || data.N < 0 || data.N >= senders*each {
			b.Fatalf("got %s", describe(ev))
		}
		sender := data.N / each
		if data.N%each != next[sender] {
			b.Fatalf("got event %d of sender %d, want %d", data.N%each, sender, next[sender])
		}
		next[sender]++
	}
}
