package storagetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// errRollback makes a transaction of a case roll back.
var errRollback = errors.New("storagetest: roll back")

// inTx runs fn in a transaction of the host's, again and again while it is told to.
func (e *env) inTx(fn func(tx Store) error) error {
	e.Helper()
	var err error
	for range 1000 {
		if err = e.harness.InTx(e.T, e.store, fn); !errors.Is(err, consultation.ErrRetryTx) {
			return err
		}
		runtime.Gosched()
	}
	return fmt.Errorf("after 1,000 attempts: %w", err)
}

func transactionCases() []testCase {
	return []testCase{{
		name:     "tx/commit",
		contract: consultations,
		tx:       true,
		clauses: says("What is returned was committed, unless the storage is bound to a transaction of the host's; then it is committed " +
			"with that one."),
		run: func(e *env) {
			e.start(room)
			e.create("second")
			var (
				sent   chat.Appended
				edited chat.Changed
				mark   chat.Marked
				change consultation.Changed
			)
			err := e.inTx(func(tx Store) (err error) {
				p := e.message(patient, "hello")
				p.Enqueue = &realtime.Enqueue{}
				if sent, err = tx.Append(e.ctx, p); err != nil {
					return err
				}
				if edited, err = tx.Edit(e.ctx, chat.EditParams{
					ID: p.ID, By: patient.UserID, Content: "hello again", Window: -1, Enqueue: &realtime.Enqueue{},
				}); err != nil {
					return err
				}
				if mark, err = tx.MarkRead(e.ctx, chat.ReadParams{ConsultationID: room, Reader: student.UserID, Seq: 3}); err != nil {
					return err
				}
				page, err := tx.History(e.ctx, chat.HistoryParams{ConsultationID: room, Viewer: patient.UserID, Limit: 10})
				if err != nil {
					return err
				}
				e.same("the message as the transaction reads it", page.Messages, []chat.Message{edited.Message})
				change, err = tx.Change(e.ctx, consultation.ChangeParams{Change: accept("second", student), Enqueue: &realtime.Enqueue{}})
				return err
			})
			if err != nil {
				e.Fatalf("the transaction: %v", err)
			}
			page := e.history()
			e.same("the message", page.Messages, []chat.Message{edited.Message})
			e.same("the mark", page.Reads, map[consultation.UserID]chat.ReadMark{student.UserID: mark.Mark})
			c, err := e.store.Consultation(e.ctx, "second", student.UserID)
			if err != nil {
				e.Fatal(err)
			}
			e.same("the consultation", c, change.Consultation)
			want := []int64{sent.Entry, edited.Entry, change.StatusEntry, change.AssignmentEntry}
			got := idsOfEntries(e.claim(10, forever))
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				e.Errorf("the entries are %v, want %v", got, want)
			}
		},
	}, {
		name:     "tx/rollback",
		contract: outbox,
		tx:       true,
		clauses: says(
			"An entry exists if and only if the change that it tells of was committed.",
			"Enqueue asks a store to write an outbox entry in the same atomic step as the change that the event tells of.",
		),
		run: func(e *env) {
			e.start(room)
			m, gone := e.send(patient, "stays"), e.send(patient, "stays too")
			entries := entriesOf(e.enqueue(room, 3, 0))
			e.create("second")
			q := &realtime.Enqueue{}
			unchanged := e.unchanged()
			err := e.inTx(func(tx Store) error {
				errAck := tx.Ack(e.ctx, entries[0])
				errNack := tx.Nack(e.ctx, realtime.NackParams{IDs: entries[1:2], Park: true, Reason: "goes"})
				_, errClaim := tx.Claim(e.ctx, realtime.ClaimParams{Limit: 10, Lease: forever})
				if err := errors.Join(errAck, errNack, errClaim); err != nil {
					return err
				}
				p := e.message(patient, "goes")
				p.ClientMessageID, p.Enqueue = "key", q
				_, err1 := tx.Append(e.ctx, p)
				_, err2 := tx.Edit(e.ctx, chat.EditParams{ID: m.ID, By: patient.UserID, Content: "goes", Window: -1, Enqueue: q})
				_, err3 := tx.Delete(e.ctx, chat.DeleteParams{ID: gone.ID, By: patient.UserID, Window: -1, Enqueue: q})
				_, err4 := tx.MarkRead(e.ctx, chat.ReadParams{ConsultationID: room, Reader: student.UserID, Seq: 3})
				_, err5 := tx.Change(e.ctx, consultation.ChangeParams{Change: accept("second", student), Enqueue: q})
				_, err6 := tx.Change(e.ctx, consultation.ChangeParams{Change: complete(room), Enqueue: q})
				_, err7 := tx.Create(e.ctx, consultation.CreateParams{ID: "third", Topic: "x", Patient: patient})
				if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
					return err
				}
				return errRollback
			})
			e.isErr("the transaction", err, errRollback)
			unchanged()
			_, err = e.store.Consultation(e.ctx, "second", student.UserID)
			e.isErr("the consultation whose change was rolled back", err, consultation.ErrNotParticipant)
			_, err = e.store.Consultation(e.ctx, "third", "")
			e.isErr("the consultation that was rolled back", err, consultation.ErrNotFound)
			for _, entry := range e.claims("of the entries whose Ack, Nack and Claim were rolled back", 10, entries...) {
				if entry.Attempts != 1 {
					e.Errorf("the entry %d has %d attempts, want 1: the other was rolled back", entry.ID, entry.Attempts)
				}
			}
			p := e.message(patient, "again")
			p.ClientMessageID = "key"
			rev := e.consultation().Rev
			if done := e.append(p); done.Replayed || done.Message.Seq != rev+1 {
				e.Errorf("the key of a message that was rolled back: Replayed %v, Seq %d; want it new with %d", done.Replayed, done.Message.Seq, rev+1)
			}
		},
	}, {
		name:     "tx/isolation",
		contract: consultations,
		tx:       true,
		clauses:  says("What is returned was committed"),
		run: func(e *env) {
			e.start(room)
			err := e.inTx(func(tx Store) error {
				p := e.message(patient, "not yet")
				p.Enqueue = &realtime.Enqueue{}
				if _, err := tx.Append(e.ctx, p); err != nil {
					return err
				}
				// A store may let readers wait for the transaction, but not show them what it has not committed.
				ctx, cancel := context.WithTimeout(e.ctx, 100*time.Millisecond)
				defer cancel()
				page, err := e.store.History(ctx, chat.HistoryParams{ConsultationID: room, Viewer: patient.UserID, Limit: 10})
				if err == nil && (len(page.Messages) != 0 || page.Consultation.Rev != 2) {
					e.Errorf("others see rev %d and %d messages of a transaction that has not committed", page.Consultation.Rev, len(page.Messages))
				}
				entries, err := e.store.Claim(ctx, realtime.ClaimParams{Limit: 10, Lease: forever})
				if err == nil && len(entries) != 0 {
					e.Error("others claim the entry of a transaction that has not committed")
				}
				return nil
			})
			if err != nil {
				e.Fatalf("the transaction: %v", err)
			}
			if n := len(e.history().Messages); n != 1 {
				e.Errorf("%d messages after the commit, want 1", n)
			}
		},
	}, {
		name:     "tx/refusals",
		contract: consultations,
		tx:       true,
		clauses:  says("A method either does all that it says or nothing, and an error means nothing."),
		run: func(e *env) {
			e.start(room)
			m := e.send(student, "hello")
			var sent chat.Appended
			err := e.inTx(func(tx Store) (err error) {
				_, err = tx.Append(e.ctx, e.message(stranger, "hello"))
				e.isErr("Append by a stranger", err, consultation.ErrNotParticipant)
				_, err = tx.Create(e.ctx, consultation.CreateParams{ID: room, Topic: "x", Patient: patient})
				e.isErr("Create with an id that is taken", err, consultation.ErrExists)
				_, err = tx.Edit(e.ctx, chat.EditParams{ID: m.ID, By: patient.UserID, Content: "x", Window: -1})
				e.isErr("Edit of somebody else's message", err, chat.ErrNotSender)
				_, err = tx.Change(e.ctx, consultation.ChangeParams{Change: accept(room, other)})
				e.isErr("Change that does not fit", err, consultation.ErrConflict)
				_, err = tx.Consultation(e.ctx, "unknown", "")
				e.isErr("Consultation that does not exist", err, consultation.ErrNotFound)
				sent, err = tx.Append(e.ctx, e.message(patient, "after all"))
				return err
			})
			if err != nil {
				e.Fatalf("a transaction in which something was refused cannot go on: %v", err)
			}
			e.same("the messages", e.history().Messages, []chat.Message{m, sent.Message})
		},
	}, {
		name:     "tx/repeats",
		contract: messages,
		tx:       true,
		clauses:  says("Concurrent calls with one ClientMessageID store one message, and all of them return it."),
		run: func(e *env) {
			e.start(room)
			e.repeats(6, 5, func(p chat.AppendParams) (done chat.Appended, err error) {
				err = e.inTx(func(tx Store) error {
					done, err = tx.Append(e.ctx, p)
					return err
				})
				return done, err
			})
		},
	}, {
		name:     "tx/retry",
		contract: consultations,
		tx:       true,
		clauses: says(
			"In a transaction of the host application, a method returns [ErrRetryTx] when the database has given up that "+
				"transaction because of another one.",
			"Otherwise the storage repeats by itself.",
		),
		run: func(e *env) {
			const rounds = 3
			ids := []consultation.ID{room, "second"}
			for _, id := range ids {
				e.start(id)
			}
			e.parallel(3, func(i int) {
				for range rounds {
					err := error(nil)
					if i == 2 { // in no transaction, between the two that lock in opposite order
						_, err = e.store.Append(e.ctx, e.message(patient, "alone"))
					} else {
						err = e.inTx(func(tx Store) error {
							for n := range ids {
								p := e.message(patient, "together")
								p.ConsultationID = ids[(n+i)%2]
								if _, err := tx.Append(e.ctx, p); err != nil {
									return err
								}
								runtime.Gosched()
							}
							return nil
						})
					}
					if err != nil {
						e.Errorf("writer %d: %v", i, err)
					}
				}
			})
			e.contiguous(3, 3*rounds)
		},
	}}
}
