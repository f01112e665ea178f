package chat_test

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

// A host's own code is tested with a store and a broadcaster in memory: no server, no sleep, and what was broadcast is
// there when Send has returned.
func ExampleNewService() {
	ctx := context.Background()
	store, events := memstore.New(), &inmem.Broadcaster{}
	messages, err := chat.NewService(store, events, nil)
	if err != nil {
		log.Fatal(err)
	}
	id := inProgress(ctx, store, events)

	browser := events.Subscribe(consultation.Channel(id, 1), "")
	defer browser.Close()
	_, err = messages.Send(ctx, chat.SendParams{ConsultationID: id, SenderID: "paula", Content: "Guten Tag"})
	if err != nil {
		log.Fatal(err)
	}
	for _, ev := range browser.Events() {
		fmt.Println(ev.Name)
	}
	// Output: new-message
}

// A client that does not know whether its message has arrived sends it again with the same key.
func ExampleService_Send() {
	ctx := context.Background()
	store, events := memstore.New(), &inmem.Broadcaster{}
	messages, err := chat.NewService(store, events, nil)
	if err != nil {
		log.Fatal(err)
	}
	id := inProgress(ctx, store, events)
	for range 2 {
		sent, err := messages.Send(ctx, chat.SendParams{
			ConsultationID: id, SenderID: "paula", Content: "Guten Tag", ClientMessageID: "key-1",
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(sent.Message.Seq, sent.Replayed)
	}
	// Output:
	// 3 false
	// 3 true
}

// Whoever was away asks for all that has changed since the last rev they know.
func ExampleService_Changes() {
	ctx := context.Background()
	store, events := memstore.New(), &inmem.Broadcaster{}
	messages, err := chat.NewService(store, events, nil)
	if err != nil {
		log.Fatal(err)
	}
	id := inProgress(ctx, store, events)
	known := int64(2) // the request and its acceptance
	for _, content := range []string{"Guten Tag", "Ich habe Rückenschmerzen"} {
		if _, err := messages.Send(ctx, chat.SendParams{ConsultationID: id, SenderID: "paula", Content: content}); err != nil {
			log.Fatal(err)
		}
	}
	changes, err := messages.Changes(ctx, chat.ChangesParams{ConsultationID: id, Viewer: "stefan", Since: known})
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range changes.Messages {
		fmt.Println(m.Rev, m.Content)
	}
	fmt.Println("next time since", changes.NextSince)
	// Output:
	// 3 Guten Tag
	// 4 Ich habe Rückenschmerzen
	// next time since 4
}

// A transport that is down costs no message and fails no send: the event waits in the store until the relay gets it out.
func Example_outbox() {
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
	id := inProgress(ctx, store, relay)
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

// inProgress brings Paula, a patient, and Stefan, a student, together.
func inProgress(ctx context.Context, store consultation.Storage, events consultation.Broadcaster) consultation.ID {
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
