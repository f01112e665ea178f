package inmem_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	realtimetest.Run(t, harness(func(b *inmem.Broadcaster) realtime.BroadcasterFunc { return b.Broadcast }))
}

// wrapped is a broadcaster that remembers what it wraps.
type wrapped struct {
	realtime.BroadcasterFunc
	inner *inmem.Broadcaster
}

// harness is that of an inmem.Broadcaster behind what wrap makes of it.
func harness(wrap func(*inmem.Broadcaster) realtime.BroadcasterFunc) realtimetest.Harness {
	var ids atomic.Int64
	return realtimetest.Harness{
		New: func(*testing.T) realtime.Broadcaster {
			b := new(inmem.Broadcaster)
			return wrapped{wrap(b), b}
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
