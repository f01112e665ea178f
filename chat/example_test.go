package chat_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/storage/memstore"
)

// A host refuses what it does not want in a chat, is told of what was stored, and holds senders to a pace.
func ExampleOptions() {
	ctx := context.Background()
	store, events := memstore.New(), &inmem.Broadcaster{}
	messages, err := chat.NewService(store, events, &chat.Options{
		BeforeSend: func(_ context.Context, d chat.Draft) error {
			if strings.Contains(d.Content, "IBAN") {
				return &chat.RefusedError{Reason: "Bitte keine Bankdaten."}
			}
			return nil
		},
		AfterSend: func(_ context.Context, m chat.Message) { fmt.Println("notify about message", m.Seq) },
		WriteRate: chat.Rate{PerSecond: 1, Burst: 20},
	})
	if err != nil {
		log.Fatal(err)
	}
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
	if _, err = consultations.Accept(ctx, consultation.TransitionParams{ID: c.ID, By: consultation.Person(stefan)}); err != nil {
		log.Fatal(err)
	}

	for _, content := range []string{"Meine IBAN ist …", "Guten Tag"} {
		_, err := messages.Send(ctx, chat.SendParams{ConsultationID: c.ID, SenderID: paula.UserID, Content: content})
		var refused *chat.RefusedError
		if errors.As(err, &refused) {
			fmt.Println(refused.Reason)
		}
	}
	if err := messages.Wait(ctx); err != nil { // when the program stops
		log.Fatal(err)
	}
	// Output:
	// Bitte keine Bankdaten.
	// notify about message 3
}
