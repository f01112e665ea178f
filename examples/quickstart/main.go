// Quickstart is the whole library in memory: a patient requests a consultation, a student accepts it, the patient
// writes, and the program prints what the student's browser would receive.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/storage/memstore"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	store, events := memstore.New(), &inmem.Broadcaster{}
	consultations, err := consultation.NewService(store, events, nil)
	if err != nil {
		return err
	}
	messages, err := chat.NewService(store, events, nil)
	if err != nil {
		return err
	}

	patient := consultation.Participant{UserID: "patient-1", Role: consultation.RolePatient, FirstName: "Paula"}
	student := consultation.Participant{UserID: "student-1", Role: consultation.RoleStudent, FirstName: "Stefan"}
	c, err := consultations.Request(ctx, consultation.RequestParams{Patient: patient, Topic: "Rückenschmerzen"})
	if err != nil {
		return err
	}
	if _, err := consultations.Accept(ctx, consultation.TransitionParams{ID: c.ID, By: consultation.Person(student)}); err != nil {
		return err
	}

	browser := events.Subscribe(consultation.Channel(c.ID, 1), "")
	defer browser.Close()
	if _, err := messages.Send(ctx, chat.SendParams{ConsultationID: c.ID, SenderID: patient.UserID, Content: "Guten Tag!"}); err != nil {
		return err
	}
	for _, ev := range browser.Events() {
		fmt.Printf("%s received %s: %s\n", student.FirstName, ev.Name, ev.Data)
	}
	return nil
}
