package storagetest

import (
	"strings"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// delete removes the text of a message on behalf of its sender.
func (e *env) delete(m chat.Message) chat.Changed {
	e.Helper()
	done, err := e.store.Delete(e.ctx, chat.DeleteParams{ID: m.ID, By: m.SenderID, Window: -1})
	if err != nil {
		e.Fatalf("Delete: %v", err)
	}
	return done
}

func deleteCases() []testCase {
	return []testCase{{
		name:     "delete/tombstone",
		contract: messages,
		clauses: says(
			"Delete removes the content of the sender's own message and leaves a tombstone: the same rules as Edit, but one that is "+
				"deleted already is returned Unchanged.",
			"The content is gone from the store.",
		),
		run: func(e *env) {
			const secret = "geheim"
			e.start(room)
			p := e.message(student, secret)
			p.ClientMessageID, p.Enqueue = "key", &realtime.Enqueue{}
			m := e.append(p).Message
			m = e.edit(m, secret+" 2").Message
			tick()
			done := e.delete(m)
			want := m
			want.Content, want.Rev, want.DeletedAt = "", m.Rev+1, done.Message.DeletedAt
			e.same("the tombstone", done.Message, want)
			if done.Message.DeletedAt == nil {
				e.Fatal("DeletedAt is nil after a deletion")
			}
			e.isTime("DeletedAt", *done.Message.DeletedAt)
			if !done.Message.DeletedAt.After(*m.EditedAt) {
				e.Errorf("DeletedAt %v is not after EditedAt %v", done.Message.DeletedAt, m.EditedAt)
			}
			if done.Unchanged || done.Entry != 0 {
				e.Errorf("Unchanged %v and Entry %d, want false and 0", done.Unchanged, done.Entry)
			}
			page := e.history()
			e.same("the tombstone as read", page.Messages[0], want)
			if page.Consultation.Rev != want.Rev {
				e.Errorf("the consultation's rev is %d, want %d", page.Consultation.Rev, want.Rev)
			}
			for what, v := range map[string]any{
				"History":            page,
				"Changes":            e.changes(0, 10),
				"Inbox":              e.inbox(chat.InboxParams{Viewer: patient.UserID, Limit: 10}),
				"a repeat of Append": e.append(p),
				"Claim":              e.claim(10, forever),
			} {
				if strings.Contains(encode(e.T, v), secret) {
					e.Errorf("the content of a deleted message comes back from %s", what)
				}
			}
		},
	}, {
		name:     "delete/entry",
		contract: messages,
		clauses:  says("and an outbox entry is written if p.Enqueue is set."),
		run: func(e *env) {
			e.start(room)
			m := e.send(patient, "first")
			done, err := e.store.Delete(e.ctx, chat.DeleteParams{
				ID: m.ID, By: patient.UserID, Window: -1, Enqueue: &realtime.Enqueue{Except: "3.4"},
			})
			if err != nil {
				e.Fatalf("Delete: %v", err)
			}
			e.oneEntry(done.Entry, chat.EventMessageDeleted, done.Message, "3.4")
		},
	}, {
		name:     "delete/not-found",
		contract: messages,
		clauses: says(
			"A message that does not exist, or not for By, gives [ErrMessageNotFound]; somebody else's [ErrNotSender].",
			"the same rules as Edit",
		),
		run: func(e *env) {
			e.refusals(func(id chat.MessageID, by consultation.UserID) error {
				_, err := e.store.Delete(e.ctx, chat.DeleteParams{ID: id, By: by, Window: -1, Enqueue: &realtime.Enqueue{}})
				return err
			})
		},
	}, {
		name:     "delete/unchanged",
		contract: messages,
		clauses: says(
			"but one that is deleted already is returned Unchanged.",
			"Unchanged says that the message was already as asked for: nothing was stored, no rev raised, no event is due.",
		),
		run: func(e *env) {
			e.start(room)
			m := e.delete(e.send(patient, "text")).Message
			again := func(p chat.DeleteParams) {
				e.Helper()
				unchanged := e.unchanged()
				p.ID, p.By, p.Enqueue = m.ID, patient.UserID, &realtime.Enqueue{}
				done, err := e.store.Delete(e.ctx, p)
				if err != nil {
					e.Fatalf("Delete of a deleted message: %v", err)
				}
				if !done.Unchanged || done.Entry != 0 {
					e.Errorf("Delete of a deleted message: Unchanged %v and Entry %d, want true and 0", done.Unchanged, done.Entry)
				}
				e.same("the tombstone", done.Message, m)
				unchanged()
			}
			again(chat.DeleteParams{Window: -1})
			again(chat.DeleteParams{Window: -1, IfRev: 1_000})
			tick()
			again(chat.DeleteParams{Window: time.Microsecond})
			e.change(complete(room))
			again(chat.DeleteParams{Window: -1})
		},
	}, {
		name:     "delete/refused",
		contract: messages,
		clauses: says(
			"An IfRev that is not the message's gives a [*StaleError]; a message older than Window [ErrWindowClosed]; a "+
				"consultation that is not IN_PROGRESS a [*consultation.NotActiveError].",
			"the same rules as Edit",
		),
		run: func(e *env) {
			e.start(room)
			m := e.send(patient, "first")
			e.send(patient, "later")
			m = e.edit(m, "second").Message
			tick()
			e.limits(m, func(ifRev int64, window time.Duration) error {
				_, err := e.store.Delete(e.ctx, chat.DeleteParams{
					ID: m.ID, By: patient.UserID, IfRev: ifRev, Window: window, Enqueue: &realtime.Enqueue{},
				})
				return err
			})
		},
	}, {
		name:     "delete/if-rev",
		contract: messages,
		clauses:  says("IfRev is the version that the caller has seen, or 0 for any."),
		run: func(e *env) {
			e.start(room)
			m := e.send(patient, "first")
			edited, err := e.store.Edit(e.ctx, chat.EditParams{ID: m.ID, By: patient.UserID, Content: "second", IfRev: m.Rev, Window: forever})
			if err != nil {
				e.Fatalf("Edit with the right IfRev within the window: %v", err)
			}
			p := chat.DeleteParams{ID: m.ID, By: patient.UserID, IfRev: edited.Message.Rev, Window: forever}
			if _, err := e.store.Delete(e.ctx, p); err != nil {
				e.Fatalf("Delete with the right IfRev within the window: %v", err)
			}
			if m := e.history().Messages[0]; !m.Deleted() || m.Sender != patient || m.SenderID != consultation.UserID("patient-1") {
				e.Errorf("the message is %+v, want the tombstone with its sender", m)
			}
		},
	}}
}
