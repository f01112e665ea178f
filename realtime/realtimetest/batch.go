package realtimetest

import (
	"context"
	"errors"
	"slices"

	"github.com/murph-chat/murph/realtime"
)

// batcher returns the transport as a BatchBroadcaster, or skips the test.
func (b *bench) batcher() realtime.BatchBroadcaster {
	b.Helper()
	batcher, ok := b.b.(realtime.BatchBroadcaster)
	if !ok {
		b.Skip("the transport takes no batches")
	}
	return batcher
}

// broadcastBatch sends the events as one batch and returns their errors.
func (b *bench) broadcastBatch(ctx context.Context, evs ...realtime.Event) []error {
	b.Helper()
	errs := b.batcher().BroadcastBatch(ctx, slices.Clone(evs))
	if len(errs) != len(evs) {
		b.Fatalf("BroadcastBatch() of %d events returns %d errors", len(evs), len(errs))
	}
	return errs
}

// taken fails the test unless the transport takes all events of the batch.
func (b *bench) taken(evs ...realtime.Event) {
	b.Helper()
	for i, err := range b.broadcastBatch(b.Context(), evs...) {
		if err != nil {
			b.Fatalf("BroadcastBatch(): the error of event %d is %v, want nil", i, err)
		}
	}
}

func checkBatch(b *bench) {
	b.batcher()
	first, second := b.subscribe(private, other), b.subscribe(private)
	b.taken()
	b.taken(message(private, 1))
	b.taken(message(private, 2), message(other, 3), except(message(private, 4), first))
	b.expect(first, message(private, 1), message(private, 2), message(other, 3))
	b.expect(second, message(private, 1), message(private, 2), message(private, 4))

	canceled, cancel := context.WithCancel(b.Context())
	cancel()
	for i, err := range b.broadcastBatch(canceled, message(private, 5), message(private, 6)) {
		if !errors.Is(err, context.Canceled) {
			b.Errorf("BroadcastBatch(): the error of event %d is %v, want %v", i, err, context.Canceled)
		}
	}
	b.taken(message(private, 7))
	b.expect(second, message(private, 7))
}

func checkBatchOrder(b *bench) {
	b.batcher()
	first, second := b.subscribe(private, other), b.subscribe(private)
	var onPrivate, onBoth []realtime.Event
	for n := 0; n < 3*realtime.MaxBatch; n += realtime.MaxBatch {
		var batch []realtime.Event
		for i := range realtime.MaxBatch {
			ch := private
			if i%3 == 2 {
				ch = other
			}
			batch = append(batch, message(ch, n+i))
			if ch == private {
				onPrivate = append(onPrivate, message(ch, n+i))
			}
		}
		b.taken(batch...)
		onBoth = append(onBoth, batch...)
	}
	b.expect(first, onBoth...)
	b.expect(second, onPrivate...)
}

func checkBatchInvalid(b *bench) {
	b.batcher()
	s := b.subscribe(private)
	var want []realtime.Event
	for what, ev := range invalidEvents() {
		n := len(want)
		errs := b.broadcastBatch(b.Context(), message(private, n), ev, message(private, n+1))
		if errs[0] != nil || errs[2] != nil {
			b.Fatalf("BroadcastBatch() around an event with %s: the other errors are %v and %v, want nil", what, errs[0], errs[2])
		}
		if !errors.Is(errs[1], realtime.ErrInvalidEvent) {
			b.Errorf("BroadcastBatch(): the error of an event with %s is %v, want ErrInvalidEvent", what, errs[1])
		}
		want = append(want, message(private, n), message(private, n+1))
	}
	b.expect(s, want...)
}
