package realtime_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/storage/memstore"
)

// A transport that is down costs no message and fails no send: the event waits in the store until the relay gets it out.
func ExampleNewRelay() {
	ctx := context.Background()
	store, transport := memstore.New(), &inmem.Broadcaster{}
	transport.Inject(func(realtime.Event) inmem.Fault { return inmem.Fault{Err: errors.New("the transport is down")} })

	relay, err := realtime.NewRelay(store, transport, nil)
	if err != nil {
		log.Fatal(err)
	}
	messages, err := chat.NewService(store, relay, nil)
	if err != nil {
		log.Fatal(err)
	}
	id := meet(ctx, store, relay)
	if _, err := messages.Send(ctx, chat.SendParams{ConsultationID: id, SenderID: "paula", Content: "Guten Tag"}); err != nil {
		log.Fatal(err)
	}
	if _, err := relay.Flush(ctx); err != nil { // a server calls "go relay.Run(ctx)" instead, once
		log.Fatal(err)
	}
	stats, err := relay.Stats(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("published:", stats.Published, "waiting:", stats.Backlog.Pending > 0)
	// Output: published: 0 waiting: true
}

// meet brings a patient and a student together.
func meet(ctx context.Context, store consultation.Storage, events consultation.Broadcaster) consultation.ID {
	consultations, err := consultation.NewService(store, events, nil)
	if err != nil {
		log.Fatal(err)
	}
	paula := consultation.Participant{UserID: "paula", Role: consultation.RolePatient, FirstName: "Paula"}
	stefan := consultation.Participant{UserID: "stefan", Role: consultation.RoleStudent, FirstName: "Stefan"}
	c, err := consultations.Request(ctx, consultation.RequestParams{Topic: "Rückenschmerzen", Patient: paula})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := consultations.Accept(ctx, consultation.TransitionParams{ID: c.ID, By: consultation.Person(stefan)}); err != nil {
		log.Fatal(err)
	}
	return c.ID
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

// Whoever writes a bus seals what it publishes, and drops what Open does not report as new.
func ExampleNewBusSeal() {
	sender, receiver := realtime.NewBusSeal(), realtime.NewBusSeal()
	first, second := sender.Seal(nil, 3, []byte("first")), sender.Seal(nil, 3, []byte("second"))
	for _, received := range [][]byte{first, second, second, first} { // the engine's client has repeated two
		if shard, frame, ok := receiver.Open(received); ok {
			fmt.Println(shard, string(frame))
		}
	}
	// Output:
	// 3 first
	// 3 second
}
