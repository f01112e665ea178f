package ws_test

import (
	"context"
	"testing"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

// stalled is the channel of the suite's test of a transport that hangs.
const stalled = "private-murph-conformance"

// TestConformance runs over real sockets, public and private channels.
func TestConformance(t *testing.T) {
	t.Parallel()
	realtimetest.Run(t, realtimetest.Harness{
		New: func(t *testing.T) realtime.Broadcaster { return start(t) },
		Subscribe: func(t *testing.T, b realtime.Broadcaster, channels ...realtime.Channel) realtimetest.Subscriber {
			f := b.(*fixture)
			c := f.connect()
			f.subscribe(c, channels...)
			return realtimetest.Subscriber{
				ID: c.SocketID(),
				Next: func(ctx context.Context) (realtime.Event, error) {
					frame, err := c.NextEvent(ctx)
					return realtime.Event{Channel: frame.Channel, Name: frame.Event, Data: frame.Data}, err
				},
				Close: c.Close,
			}
		},
		Stall: func(t *testing.T, b realtime.Broadcaster) {
			f := b.(*fixture)
			f.subscribe(f.connect(), stalled)
			f.Stall()
		},
	})
}
