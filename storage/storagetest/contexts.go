package storagetest

import (
	"context"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// calls is one call of every method, each of which would succeed. m is a message of the patient's in the room, and entry
// one in the outbox.
func (e *env) calls(m chat.Message, entry int64) map[string]func(ctx context.Context) error {
	s, q := e.store, &realtime.Enqueue{}
	return map[string]func(ctx context.Context) error{
		"Create": func(ctx context.Context) error {
			_, err := s.Create(ctx, consultation.CreateParams{ID: "new", Topic: "x", Patient: patient})
			return err
		},
		"Consultation": func(ctx context.Context) error {
			_, err := s.Consultation(ctx, room, patient.UserID)
			return err
		},
		"Change": func(ctx context.Context) error {
			_, err := s.Change(ctx, consultation.ChangeParams{Change: reassign(room, other), Enqueue: q})
			return err
		},
		"Append": func(ctx context.Context) error {
			p := e.message(patient, "hello")
			p.Enqueue = q
			_, err := s.Append(ctx, p)
			return err
		},
		"Append of a repeat": func(ctx context.Context) error {
			p := e.message(patient, "hello")
			p.ClientMessageID = m.ClientMessageID
			_, err := s.Append(ctx, p)
			return err
		},
		"History": func(ctx context.Context) error {
			_, err := s.History(ctx, chat.HistoryParams{ConsultationID: room, Viewer: patient.UserID, Limit: 1})
			return err
		},
		"Changes": func(ctx context.Context) error {
			_, err := s.Changes(ctx, chat.ChangesParams{ConsultationID: room, Viewer: patient.UserID, Limit: 1, MaxBehind: 100})
			return err
		},
		"Inbox": func(ctx context.Context) error {
			_, err := s.Inbox(ctx, chat.InboxParams{Viewer: patient.UserID, Limit: 1})
			return err
		},
		"MarkRead": func(ctx context.Context) error {
			_, err := s.MarkRead(ctx, chat.ReadParams{ConsultationID: room, Reader: student.UserID, Seq: m.Seq})
			return err
		},
		"Edit": func(ctx context.Context) error {
			_, err := s.Edit(ctx, chat.EditParams{ID: m.ID, By: patient.UserID, Content: "new", Window: -1, Enqueue: q})
			return err
		},
		"Delete": func(ctx context.Context) error {
			_, err := s.Delete(ctx, chat.DeleteParams{ID: m.ID, By: patient.UserID, Window: -1, Enqueue: q})
			return err
		},
		"Claim": func(ctx context.Context) error {
			_, err := s.Claim(ctx, realtime.ClaimParams{Limit: 10, Lease: forever})
			return err
		},
		"Ack":        func(ctx context.Context) error { return s.Ack(ctx, entry) },
		"AckThrough": func(ctx context.Context) error { return s.AckThrough(ctx, consultation.Channel(room, 1), 1_000) },
		"Purge": func(ctx context.Context) error {
			_, err := s.Purge(ctx, realtime.PurgeParams{})
			return err
		},
		"Nack": func(ctx context.Context) error {
			return s.Nack(ctx, realtime.NackParams{IDs: []int64{entry}, Park: true, Reason: "x"})
		},
		"Backlog": func(ctx context.Context) error {
			_, err := s.Backlog(ctx)
			return err
		},
	}
}

func contextCases() []testCase {
	return []testCase{{
		name:     "context/ended",
		contract: consultations,
		clauses: says(
			"When ctx ends, a method returns an error that wraps ctx.Err().",
			"A method either does all that it says or nothing, and an error means nothing.",
		),
		run: func(e *env) {
			e.start(room)
			p := e.message(patient, "first")
			p.ClientMessageID, p.Enqueue = "key", &realtime.Enqueue{}
			done := e.append(p)
			cancelled, cancel := context.WithCancel(e.ctx)
			cancel()
			expired, cancel := context.WithDeadline(e.ctx, time.Unix(1, 0))
			defer cancel()
			unchanged := e.unchanged()
			for name, call := range e.calls(done.Message, done.Entry) {
				e.isErr(name+" with a context that was cancelled", call(cancelled), context.Canceled)
				e.isErr(name+" with a context that has expired", call(expired), context.DeadlineExceeded)
			}
			unchanged()
			_, err := e.store.Consultation(e.ctx, "new", "")
			e.isErr("the consultation that a Create with a context that has ended was asked for", err, consultation.ErrNotFound)
			e.claims("of an entry that was not claimed with a context that has ended", 10, done.Entry)
		},
	}, {
		name:     "context/waiting",
		contract: messages,
		clauses:  says("safe for concurrent use, ctx honoured"),
		tx:       true,
		run: func(e *env) {
			e.start(room)
			var kept chat.Message
			err := e.inTx(func(tx Store) error {
				done, err := tx.Append(e.ctx, e.message(student, "holds the lock"))
				if err != nil {
					return err
				}
				kept = done.Message
				ctx, cancel := context.WithTimeout(e.ctx, 50*time.Millisecond)
				defer cancel()
				_, err = e.store.Append(ctx, e.message(patient, "waits for the lock"))
				e.isErr("Append whose context ends while it waits for the lock", err, context.DeadlineExceeded)
				return nil
			})
			if err != nil {
				e.Fatalf("the transaction: %v", err)
			}
			e.same("the messages", e.history().Messages, []chat.Message{kept})
			e.send(patient, "the store still works")
		},
	}}
}
