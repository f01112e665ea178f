package storagetest

import (
	"errors"
	"strings"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// edit changes the text of a message on behalf of its sender.
func (e *env) edit(m chat.Message, content string) chat.Changed {
	e.Helper()
	done, err := e.store.Edit(e.ctx, chat.EditParams{ID: m.ID, By: m.SenderID, Content: content, Window: -1})
	if err != nil {
		e.Fatalf("Edit: %v", err)
	}
	return done
}

// isStale fails the case unless err is a StaleError with the rev.
func (e *env) isStale(what string, err error, rev int64) {
	e.Helper()
	var is *chat.StaleError
	if !errors.As(err, &is) || is.Rev != rev {
		e.Errorf("%s: the error is %v, want a StaleError with rev %d", what, err, rev)
	}
}

func editCases() []testCase {
	return []testCase{{
		name:     "edit/stored",
		contract: messages,
		clauses: says(
			"Edit replaces the content of the sender's own message:",
			"Otherwise the consultation's rev is raised by one and becomes the message's Rev, EditedAt is the store's time, and an "+
				"outbox entry is written if p.Enqueue is set.",
		),
		run: func(e *env) {
			e.start(room)
			p := e.message(student, "first")
			p.ClientMessageID = "key"
			m := e.append(p).Message
			e.send(patient, "between")
			for _, content := range []string{"second", strings.Repeat("𝄞", 5000)} {
				tick()
				rev := e.consultation().Rev
				done := e.edit(m, content)
				want := m
				want.Content, want.Rev, want.EditedAt = content, rev+1, done.Message.EditedAt
				e.same("the message", done.Message, want)
				if done.Unchanged || done.Entry != 0 {
					e.Errorf("Unchanged %v and Entry %d, want false and 0", done.Unchanged, done.Entry)
				}
				if done.Message.EditedAt == nil {
					e.Fatal("EditedAt is nil after an edit")
				}
				e.isTime("EditedAt", *done.Message.EditedAt)
				if !done.Message.EditedAt.After(m.CreatedAt) {
					e.Errorf("EditedAt %v is not after CreatedAt %v", done.Message.EditedAt, m.CreatedAt)
				}
				page := e.history()
				e.same("the message as read", page.Messages[0], want)
				if page.Consultation.Rev != rev+1 {
					e.Errorf("the consultation's rev is %d, want %d", page.Consultation.Rev, rev+1)
				}
			}
		},
	}, {
		name:     "edit/entry",
		contract: messages,
		clauses:  says("and an outbox entry is written if p.Enqueue is set."),
		run: func(e *env) {
			e.start(room)
			m := e.send(patient, "first")
			done, err := e.store.Edit(e.ctx, chat.EditParams{
				ID: m.ID, By: patient.UserID, Content: "second", Window: -1, Enqueue: &realtime.Enqueue{Except: "3.4"},
			})
			if err != nil {
				e.Fatalf("Edit: %v", err)
			}
			e.oneEntry(done.Entry, chat.EventMessageUpdated, done.Message, "3.4")
		},
	}, {
		name:     "edit/not-found",
		contract: messages,
		clauses:  says("A message that does not exist, or not for By, gives [ErrMessageNotFound]; somebody else's [ErrNotSender]."),
		run: func(e *env) {
			e.refusals(func(id chat.MessageID, by consultation.UserID) error {
				_, err := e.store.Edit(e.ctx, chat.EditParams{ID: id, By: by, Content: "second", Window: -1, Enqueue: &realtime.Enqueue{}})
				return err
			})
		},
	}, {
		name:     "edit/unchanged",
		contract: messages,
		clauses: says(
			"A deleted one gives [ErrDeleted]; one that has this content already is returned Unchanged.",
			"Unchanged says that the message was already as asked for: nothing was stored, no rev raised, no event is due.",
		),
		run: func(e *env) {
			e.start(room)
			m, gone := e.send(patient, "text"), e.send(patient, "text")
			e.delete(gone)
			again := func(p chat.EditParams) {
				e.Helper()
				unchanged := e.unchanged()
				p.ID, p.By, p.Content, p.Enqueue = m.ID, patient.UserID, "text", &realtime.Enqueue{}
				done, err := e.store.Edit(e.ctx, p)
				if err != nil {
					e.Fatalf("Edit with the same text: %v", err)
				}
				if !done.Unchanged || done.Entry != 0 {
					e.Errorf("Edit with the same text: Unchanged %v and Entry %d, want true and 0", done.Unchanged, done.Entry)
				}
				e.same("the message", done.Message, m)
				unchanged()
				p.ID = gone.ID
				_, err = e.store.Edit(e.ctx, p)
				e.isErr("Edit of a deleted message", err, chat.ErrDeleted)
				unchanged()
			}
			again(chat.EditParams{Window: -1})
			again(chat.EditParams{Window: -1, IfRev: 1_000})
			tick()
			again(chat.EditParams{Window: time.Microsecond})
			e.change(complete(room))
			again(chat.EditParams{Window: -1})
		},
	}, {
		name:     "edit/refused",
		contract: messages,
		clauses: says(
			"An IfRev that is not the message's gives a [*StaleError]; a message older than Window [ErrWindowClosed]; a "+
				"consultation that is not IN_PROGRESS a [*consultation.NotActiveError].",
			"IfRev is the version that the caller has seen, or 0 for any.",
			"Window is how long after its creation a message may be changed; negative for ever.",
		),
		run: func(e *env) {
			e.start(room)
			m := e.send(patient, "first")
			e.send(patient, "later")
			m = e.edit(m, "second").Message
			edit := func(ifRev int64, window time.Duration) error {
				_, err := e.store.Edit(e.ctx, chat.EditParams{
					ID: m.ID, By: patient.UserID, Content: "third", IfRev: ifRev, Window: window, Enqueue: &realtime.Enqueue{},
				})
				return err
			}
			tick()
			e.limits(m, edit)
		},
	}}
}

// oneEntry fails the case unless the outbox holds the one entry of a message.
func (e *env) oneEntry(id int64, event string, m chat.Message, except realtime.SocketID) {
	e.Helper()
	entries := e.claim(10, forever)
	if id == 0 || len(entries) != 1 || entries[0].ID != id {
		e.Fatalf("Claim = %+v, want the one entry %d", entries, id)
	}
	want, err := chat.MessageEvent(event, m, e.audience(), except)
	if err != nil {
		e.Fatal(err)
	}
	e.same("the event", entries[0].Event, want)
}

// refusals checks who may not change a message, for edits and deletions alike.
func (e *env) refusals(change func(id chat.MessageID, by consultation.UserID) error) {
	e.Helper()
	e.start(room)
	own, gone := e.send(student, "first"), e.send(student, "gone")
	e.delete(gone)
	unchanged := e.unchanged()
	e.isErr("a message that does not exist", change("unknown", patient.UserID), chat.ErrMessageNotFound)
	e.isErr("a stranger", change(own.ID, stranger.UserID), chat.ErrMessageNotFound)
	e.isErr("nobody", change(own.ID, ""), chat.ErrMessageNotFound)
	e.isErr("the other one", change(own.ID, patient.UserID), chat.ErrNotSender)
	e.isErr("the other one, deleted message", change(gone.ID, patient.UserID), chat.ErrNotSender)
	unchanged()
	e.change(reassign(room, other))
	e.isErr("a student who was replaced", change(own.ID, student.UserID), chat.ErrMessageNotFound)
	e.isErr("the student who replaced the sender", change(own.ID, other.UserID), chat.ErrNotSender)
	e.change(cancel(room))
	unchanged = e.unchanged()
	e.isErr("the other one after the end", change(own.ID, patient.UserID), chat.ErrNotSender)
	e.isErr("a stranger after the end", change(own.ID, stranger.UserID), chat.ErrMessageNotFound)
	unchanged()
}

// limits checks when a message may not be changed any more, for edits and deletions alike, and in which order that is
// found out. m is the patient's, edited once, and not the newest message.
func (e *env) limits(m chat.Message, change func(ifRev int64, window time.Duration) error) {
	e.Helper()
	unchanged := e.unchanged()
	e.isStale("an older rev", change(m.Seq, -1), m.Rev)
	e.isStale("the consultation's rev", change(m.Rev+1, -1), m.Rev)
	e.isErr("a closed window", change(0, time.Microsecond), chat.ErrWindowClosed)
	e.isErr("a closed window, right rev", change(m.Rev, time.Microsecond), chat.ErrWindowClosed)
	e.isStale("an older rev and a closed window", change(m.Seq, time.Microsecond), m.Rev)
	unchanged()
	e.change(complete(room))
	unchanged = e.unchanged()
	e.notActive("after the end", change(0, -1), consultation.StatusCompleted)
	e.notActive("after the end, right rev, open window", change(m.Rev, forever), consultation.StatusCompleted)
	e.isStale("an older rev after the end", change(m.Seq, -1), m.Rev)
	e.isErr("a closed window after the end", change(0, time.Microsecond), chat.ErrWindowClosed)
	unchanged()
}
