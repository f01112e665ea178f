package pusher

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	vendor "github.com/pusher/pusher-http-go/v5"

	"github.com/murph-chat/murph/realtime"
)

// BroadcastBatch implements [realtime.BatchBroadcaster] in one call of the
// service. With [PrivacyEncrypted] a call carries the events of one channel and
// audience, because it has one key; the calls for different channels run side
// by side, at most [realtime.MaxBatch] of them.
func (b *Broadcaster) BroadcastBatch(ctx context.Context, evs []realtime.Event) []error {
	const op = "trigger batch"
	if len(evs) > realtime.MaxBatch {
		err := fmt.Errorf("pusher: %s: %w: %d events are more than %d", op, realtime.ErrInvalidEvent, len(evs), realtime.MaxBatch)
		return slices.Repeat([]error{err}, len(evs))
	}
	errs := make([]error, len(evs))
	chains := map[string][]request{}
	for i, ev := range evs {
		out, key, err := b.prepare(ev)
		if err != nil {
			errs[i] = fmt.Errorf("pusher: %s: %w", op, err)
			continue
		}
		var channel string // events without a key go together, whatever their channels
		if key != nil {
			channel = out.Channel
		}
		chains[channel] = appendEvent(chains[channel], i, out, key)
	}
	var calls sync.WaitGroup
	for _, chain := range chains {
		calls.Go(func() {
			for _, r := range chain {
				err := r.send(ctx, b, op)
				for _, i := range r.positions {
					errs[i] = err
				}
			}
		})
	}
	calls.Wait()
	return errs
}

// request is one call of the service for some events of a batch.
type request struct {
	key       []byte
	events    []vendor.Event
	positions []int // of the events in the batch
}

// appendEvent adds the event at position i of the batch to the last request of
// the chain, or to a new one if that has another key.
func appendEvent(chain []request, i int, ev vendor.Event, key []byte) []request {
	if n := len(chain); n == 0 || !bytes.Equal(chain[n-1].key, key) {
		chain = append(chain, request{key: key})
	}
	last := &chain[len(chain)-1]
	last.events, last.positions = append(last.events, ev), append(last.positions, i)
	return chain
}

// send makes the call. A panic of Config.Transport becomes an error, because no
// caller could recover it from the goroutine of the call.
func (r request) send(ctx context.Context, b *Broadcaster, op string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("pusher: %s: Config.Transport panicked with a %T", op, p)
		}
	}()
	return b.trigger(ctx, op, r.key, func(c *vendor.Client) error {
		_, err := c.TriggerBatch(r.events)
		return err
	})
}
