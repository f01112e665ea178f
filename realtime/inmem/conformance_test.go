package inmem_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	realtimetest.Run(t, harness(nil, nil))
}

// wrapped is a broadcaster that remembers what it wraps.
type wrapped struct {
	realtime.BroadcasterFunc
	batch batchFunc
	inner *inmem.Broadcaster
}

// batchFunc has the signature of BroadcastBatch.
type batchFunc func(context.Context, []realtime.Event) []error

func (w wrapped) BroadcastBatch(ctx context.Context, evs []realtime.Event) []error {
	return w.batch(ctx, evs)
}

// harness wraps an inmem.Broadcaster. A nil function wraps nothing.
func harness(
	wrap func(*inmem.Broadcaster) realtime.BroadcasterFunc, wrapBatch func(*inmem.Broadcaster) batchFunc,
) realtimetest.Harness {
	var ids atomic.Int64
	return realtimetest.Harness{
		New: func(*testing.T) realtime.Broadcaster {
			b := new(inmem.Broadcaster)
			w := wrapped{b.Broadcast, b.BroadcastBatch, b}
			if wrap != nil {
				w.BroadcasterFunc = wrap(b)
			}
			if wrapBatch != nil {
				w.batch = wrapBatch(b)
			}
			return w
		},
		Subscribe: func(_ *testing.T, b realtime.Broadcaster, channels ...realtime.Channel) realtimetest.Subscriber {
			id := realtime.SocketID(fmt.Sprintf("7.%d", ids.Add(1)))
			var subs []*inmem.Subscription
			var received []func() []realtime.Event
			for _, ch := range channels {
				sub := b.(wrapped).inner.Subscribe(ch, id)
				subs, received = append(subs, sub), append(received, sub.Events)
			}
			return realtimetest.Subscriber{ID: id, Next: realtimetest.NextOf(received...), Close: func() {
				for _, sub := range subs {
					sub.Close()
				}
			}}
		},
		Stall: func(_ *testing.T, b realtime.Broadcaster) {
			b.(wrapped).inner.Inject(func(realtime.Event) inmem.Fault { return inmem.Fault{Hang: true} })
		},
	}
}
