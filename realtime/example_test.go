package realtime_test

import (
	"context"
	"fmt"
	"log"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
)

// What a transport does not take stays in the outbox, and goes out later. A store is the outbox in earnest.
func ExampleNewRelay() {
	ctx := context.Background()
	outbox, transport := newQueue(), &inmem.Broadcaster{}
	relay, err := realtime.NewRelay(outbox, transport, nil)
	if err != nil {
		log.Fatal(err)
	}
	id, ev := outbox.add("private-consultation-1", relay.Lease()) // in the transaction that stores the change
	relay.HandOff(id, ev)                                         // after its commit; never blocks, never fails

	published, err := relay.Flush(ctx) // a server calls "go relay.Run(ctx)" instead, once
	fmt.Println(published, len(transport.Events()), err)
	// Output: 1 1 <nil>
}

// What carries events may be a function: here each goes to the log instead of to browsers.
func ExampleBroadcasterFunc() {
	var events realtime.Broadcaster = realtime.BroadcasterFunc(func(_ context.Context, ev realtime.Event) error {
		fmt.Println(ev.Channel, ev.Name)
		return nil
	})
	err := events.Broadcast(context.Background(), realtime.Event{Channel: "private-consultation-1", Name: "new-message", Data: []byte(`{}`)})
	fmt.Println(err)
	// Output:
	// private-consultation-1 new-message
	// <nil>
}

// A publisher gives events to a broadcaster in the way of the services, for events of the host's own.
func ExampleNewPublisher() {
	var transport inmem.Broadcaster
	publisher, err := realtime.NewPublisher(&transport, nil)
	if err != nil {
		log.Fatal(err)
	}
	publisher.Publish(context.Background(), 0, realtime.Event{Channel: "private-clinic", Name: "news", Data: []byte(`{}`)})
	fmt.Println(len(transport.Events()))
	// Output: 1
}
