package sqlitestore_test

import (
	"context"
	"fmt"
	"log"

	"github.com/uptrace/bun"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/sqlitestore"
)

// A store with a file of its own is all that a small program needs.
func ExampleOpen() {
	ctx := context.Background()
	store, err := sqlitestore.Open(ctx, sqlitestore.InMemory, nil) // or "murph.db"
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	_, err = store.Create(ctx, consultation.CreateParams{ID: "demo", Topic: "Rückenschmerzen", Patient: patient})
	if err != nil {
		log.Fatal(err)
	}
	c, err := store.Change(ctx, consultation.ChangeParams{Change: consultation.Change{
		ID: "demo", By: consultation.Person(student), To: consultation.StatusInProgress, Student: &student,
	}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Consultation.Status, c.Consultation.Rev)
	// Output: IN_PROGRESS 2
}

// The host's own change and the message are stored together or not at all.
func ExampleStore_DB() {
	ctx := context.Background()
	store, err := sqlitestore.Open(ctx, sqlitestore.InMemory, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	relay, err := realtime.NewRelay(store, realtime.BroadcasterFunc(func(context.Context, realtime.Event) error { return nil }), nil)
	if err != nil {
		log.Fatal(err)
	}
	svc, err := chat.NewService(store, relay, nil)
	if err != nil {
		log.Fatal(err)
	}
	prepare(ctx, store)

	err = store.DB().RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO invoices (consultation_id) VALUES ('demo')`); err != nil {
			return err
		}
		_, err := svc.SendTx(ctx, store.With(tx), chat.SendParams{
			ConsultationID: "demo", SenderID: patient.UserID, Content: "Die Rechnung ist da.",
		})
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	page, err := svc.History(ctx, chat.HistoryParams{ConsultationID: "demo", Viewer: student.UserID})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Messages[0].Content)
	// Output: Die Rechnung ist da.
}

// prepare makes what the example needs: a consultation, and a table of the host's.
func prepare(ctx context.Context, store *sqlitestore.Store) {
	_, err := store.Create(ctx, consultation.CreateParams{ID: "demo", Topic: "Rückenschmerzen", Patient: patient})
	if err == nil {
		_, err = store.Change(ctx, consultation.ChangeParams{Change: consultation.Change{
			ID: "demo", By: consultation.Person(student), To: consultation.StatusInProgress, Student: &student,
		}})
	}
	if err == nil {
		_, err = store.DB().ExecContext(ctx, `CREATE TABLE invoices (consultation_id TEXT)`)
	}
	if err != nil {
		log.Fatal(err)
	}
}
