package consultation_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/storage/memstore"
)

// Of two students who accept the same consultation one is told that the other was faster.
func ExampleNewService() {
	ctx := context.Background()
	consultations, err := consultation.NewService(memstore.New(), &inmem.Broadcaster{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	paula := consultation.Participant{UserID: "paula", Role: consultation.RolePatient, FirstName: "Paula"}
	c, err := consultations.Request(ctx, consultation.RequestParams{Topic: "Rückenschmerzen", Patient: paula})
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"stefan", "sina"} {
		by := consultation.Participant{UserID: consultation.UserID(name), Role: consultation.RoleStudent, FirstName: name}
		_, err := consultations.Accept(ctx, consultation.TransitionParams{ID: c.ID, By: consultation.Person(by)})
		var conflict *consultation.ConflictError
		if errors.As(err, &conflict) {
			fmt.Println(name, "is too late: it is", conflict.Status)
			continue
		}
		fmt.Println(name, err)
	}
	// Output:
	// stefan <nil>
	// sina is too late: it is IN_PROGRESS
}

// A host that decides more than the library does narrows who may do what.
func ExampleOptions() {
	ctx := context.Background()
	consultations, err := consultation.NewService(memstore.New(), &inmem.Broadcaster{}, &consultation.Options{
		Policy: func(_ context.Context, action consultation.Action, _ consultation.ID, by consultation.Participant) error {
			if action == consultation.ActionRequest && by.LastName == "" {
				return fmt.Errorf("%w: the profile is not complete", consultation.ErrForbidden)
			}
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	paula := consultation.Participant{UserID: "paula", Role: consultation.RolePatient, FirstName: "Paula"}
	_, err = consultations.Request(ctx, consultation.RequestParams{Topic: "Rückenschmerzen", Patient: paula})
	fmt.Println(errors.Is(err, consultation.ErrForbidden))
	// Output: true
}
