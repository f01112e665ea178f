package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/storage/memstore"
)

func ExampleNew() {
	ctx := context.Background()
	consultations, err := consultation.NewService(memstore.New(), &inmem.Broadcaster{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	c, err := consultations.Request(ctx, consultation.RequestParams{Topic: "Rückenschmerzen", Patient: patient})
	fmt.Println(c.Status, c.Rev, err)
	// Output: REQUESTED 1 <nil>
}

// What a transaction has done is gone when it fails.
func ExampleStore_InTx() {
	ctx := context.Background()
	store := memstore.New()
	err := store.InTx(ctx, func(tx *memstore.Store) error {
		if _, err := tx.Create(ctx, consultation.CreateParams{ID: "demo", Topic: "Rückenschmerzen", Patient: patient}); err != nil {
			return err
		}
		return errors.New("the host has changed its mind")
	})
	_, notFound := store.Consultation(ctx, "demo", patient.UserID)
	fmt.Println(err, errors.Is(notFound, consultation.ErrNotFound))
	// Output: the host has changed its mind true
}
