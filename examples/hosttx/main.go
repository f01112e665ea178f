// Hosttx sends a message inside a transaction of the host's: an appointment is stored and the patient is told of it, or
// neither happens. The event goes out if and only if the transaction commits.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/sqlitestore"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

var (
	patient = consultation.Participant{UserID: "patient-1", Role: consultation.RolePatient, FirstName: "Paula"}
	student = consultation.Participant{UserID: "student-1", Role: consultation.RoleStudent, FirstName: "Stefan"}
)

// clinic is the host application.
type clinic struct {
	db            *sql.DB // the host's own
	store         *bunstore.Store
	relay         *realtime.Relay
	messages      *chat.Service
	consultations *consultation.Service
}

// newClinic wires the library to the host's database. The relay is what lets an event wait for a commit.
func newClinic(ctx context.Context, db *sql.DB, store *bunstore.Store, to realtime.Broadcaster) (*clinic, error) {
	if _, err := db.ExecContext(ctx, `CREATE TABLE appointments (consultation_id text, day text UNIQUE)`); err != nil {
		return nil, err
	}
	relay, err := realtime.NewRelay(store, to, nil)
	if err != nil {
		return nil, err
	}
	messages, err := chat.NewService(store, relay, nil)
	if err != nil {
		return nil, err
	}
	consultations, err := consultation.NewService(store, relay, nil)
	if err != nil {
		return nil, err
	}
	return &clinic{db, store, relay, messages, consultations}, nil
}

// book stores an appointment and tells the patient, in one transaction.
func (c *clinic) book(ctx context.Context, id consultation.ID, day string) error {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	if _, err := tx.ExecContext(ctx, `INSERT INTO appointments VALUES ($1, $2)`, string(id), day); err != nil {
		return err
	}
	// Last, because it locks the consultation until the transaction ends.
	_, err = c.messages.SendTx(ctx, c.store.With(tx), chat.SendParams{
		ConsultationID: id, SenderID: student.UserID, Content: "Ihr Termin: " + day,
	})
	if err != nil {
		return err // consultation.ErrRetryTx means: call book again
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	c.relay.Wake() // or the event waits for the relay's next look
	return nil
}

// start brings patient and student together.
func (c *clinic) start(ctx context.Context) (consultation.ID, error) {
	requested, err := c.consultations.Request(ctx, consultation.RequestParams{Patient: patient, Topic: "Rückenschmerzen"})
	if err != nil {
		return "", err
	}
	_, err = c.consultations.Accept(ctx, consultation.TransitionParams{ID: requested.ID, By: consultation.Person(student)})
	return requested.ID, err
}

func run(ctx context.Context) (err error) {
	store, err := sqlitestore.Open(ctx, sqlitestore.InMemory, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	events := &inmem.Broadcaster{}
	c, err := newClinic(ctx, store.DB().DB, store.Store, events)
	if err != nil {
		return err
	}
	id, err := c.start(ctx)
	if err != nil {
		return err
	}
	browser := events.Subscribe(consultation.Channel(id, 1), "")
	defer browser.Close()

	for _, day := range []string{"3. Dezember", "3. Dezember", "4. Dezember"} {
		if err := c.book(ctx, id, day); err != nil {
			fmt.Printf("%s: not booked\n", day)
		}
	}
	if _, err := c.relay.Flush(ctx); err != nil { // a server calls Run instead
		return err
	}
	for _, ev := range browser.Events() {
		fmt.Printf("%s received %s\n", patient.FirstName, ev.Name)
	}
	return nil
}
