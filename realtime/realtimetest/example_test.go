package realtimetest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

// busOf holds a bus to the contract of realtime.Bus, without faults; the functions of BusEngine that break connections add
// their cases.
func busOf(t *testing.T) {
	realtimetest.RunBus(t, realtimetest.BusHarness{
		Open: func(testing.TB) realtimetest.BusEngine {
			var hub inmem.BusHub // one's own engine
			return realtimetest.BusEngine{Node: func(testing.TB) realtime.Bus { return hub.Node() }}
		},
	})
}

func TestOwnBus(t *testing.T) {
	t.Parallel()
	busOf(t)
}

// A bus of one's own is held to the contract by one call in a test.
func ExampleRunBus() {
	test := func(t *testing.T) {
		realtimetest.RunBus(t, realtimetest.BusHarness{
			Open: func(testing.TB) realtimetest.BusEngine {
				var hub inmem.BusHub // one's own engine
				return realtimetest.BusEngine{Node: func(testing.TB) realtime.Bus { return hub.Node() }}
			},
		})
	}
	fmt.Println(test != nil) // go test calls it, as TestOwnBus
	// Output: true
}

// NextOf is the Next of a transport that has delivered when Broadcast returns.
func ExampleNextOf() {
	ctx := context.Background()
	var b inmem.Broadcaster
	sub := b.Subscribe("private-a", "7.1")
	next := realtimetest.NextOf(sub.Events)
	_ = b.Broadcast(ctx, realtime.Event{Channel: "private-a", Name: "news", Data: []byte(`{}`)})
	ev, err := next(ctx)
	fmt.Println(ev.Name, err)
	_, err = next(ctx)
	fmt.Println(err)
	// Output:
	// news <nil>
	// realtimetest: no event has been delivered
}
