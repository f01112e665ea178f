package storagetest

import (
	"strings"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

func appendCases() []testCase {
	return []testCase{{
		name:     "append/stored",
		contract: messages,
		clauses: says(
			"Otherwise the consultation's rev is raised by one and the message stored with it as Seq and Rev, CreatedAt from the "+
				"store's clock after the row was locked, and an outbox entry if p.Enqueue is set.",
			"No rev is left out.",
			`Audience is the consultation's at the moment of the append, for the event; zero if it is Replayed.`,
		),
		run: func(e *env) {
			c := e.start(room)
			var want []chat.Message
			for i, sender := range []consultation.Participant{patient, student, patient} {
				p := e.message(sender, "Guten Tag")
				done := e.append(p)
				rev := c.Rev + int64(i) + 1
				m := chat.Message{
					ID: p.ID, ConsultationID: room, SenderID: sender.UserID, Content: "Guten Tag",
					CreatedAt: done.Message.CreatedAt, Sender: sender, Seq: rev, Rev: rev,
				}
				e.same("the message", done.Message, m)
				e.isTime("CreatedAt", done.Message.CreatedAt)
				if done.Replayed || done.Entry != 0 {
					e.Errorf("Replayed %v and Entry %d, want false and 0", done.Replayed, done.Entry)
				}
				if want := c.Audience(); done.Audience != want {
					e.Errorf("Audience is %v, want %v", done.Audience, want)
				}
				if i > 0 && m.CreatedAt.Before(want[i-1].CreatedAt) {
					e.Errorf("CreatedAt runs back from %v to %v", want[i-1].CreatedAt, m.CreatedAt)
				}
				want = append(want, m)
			}
			page := e.history()
			e.same("the messages as read", page.Messages, want)
			if page.Consultation.Rev != c.Rev+3 {
				e.Errorf("the consultation's rev is %d, want %d", page.Consultation.Rev, c.Rev+3)
			}
			if !page.Consultation.UpdatedAt.Equal(c.UpdatedAt) {
				e.Error("UpdatedAt has changed with a message, want the time of the last change of status or assignment")
			}
			if b := e.backlog(); b.Pending != 0 {
				e.Errorf("%d outbox entries without Enqueue, want none", b.Pending)
			}
		},
	}, {
		name:     "append/content",
		contract: messages,
		clauses:  says("Append stores a message, in one step with everything that belongs to it:"),
		run: func(e *env) {
			e.start(room)
			contents := []string{
				strings.Repeat("ä", 5000),
				strings.Repeat("𝄞", 5000),
				"👩🏽‍⚕️ e\u0301 \u202e \ufeff \u2028 ￿ 𝒮",
				"'; DROP TABLE messages; -- \\ \" ` $1 ?0 ? %s {} \\u0000 \\x41",
				"a\nb\r\n\tc\x01\x7f",
				"<script>alert(\"&amp;\")</script>",
				"x",
			}
			for _, content := range contents {
				if m := e.send(patient, content); m.Content != content {
					e.Errorf("a content of %d bytes comes back with %d bytes, or changed", len(content), len(m.Content))
				}
			}
			for i, m := range e.history().Messages {
				if m.Content != contents[i] {
					e.Errorf("a content of %d bytes is read with %d bytes, or changed", len(contents[i]), len(m.Content))
				}
			}
		},
	}, {
		name:     "append/entry",
		contract: messages,
		clauses:  says("and an outbox entry if p.Enqueue is set."),
		run: func(e *env) {
			e.start(room)
			p := e.message(student, "Guten Tag")
			p.ClientMessageID = "key"
			p.Enqueue = &realtime.Enqueue{Except: "12.34"}
			done := e.append(p)
			if done.Entry == 0 {
				e.Error("Entry is 0 with Enqueue, want the id of the entry")
			}
			entries := e.claim(10, forever)
			if len(entries) != 1 || entries[0].ID != done.Entry {
				e.Fatalf("Claim = %+v, want the one entry %d", entries, done.Entry)
			}
			want, err := chat.MessageEvent(chat.EventNewMessage, done.Message, done.Audience, "12.34")
			if err != nil {
				e.Fatal(err)
			}
			e.same("the event", entries[0].Event, want)
			if again := e.append(p); again.Entry != 0 || !again.Replayed {
				e.Errorf("a repeat has Entry %d and Replayed %v, want 0 and true", again.Entry, again.Replayed)
			}
			if b := e.backlog(); b.Pending != 1 {
				e.Errorf("%d outbox entries after a repeat, want 1", b.Pending)
			}
		},
	}, {
		name:     "append/repeat",
		contract: messages,
		clauses: says(
			"A known ClientMessageID of this sender in this consultation returns the message stored then, as it is now, as "+
				"Replayed, and changes nothing, whatever the status of the consultation is now.",
			"But if that message was neither edited nor deleted and its Content is not p.Content, the answer is "+
				"[consultation.ErrKeyReused].",
			"ID is the message's id if it is new; a repeat keeps the first one.",
		),
		run: func(e *env) {
			e.start(room)
			p := e.message(patient, "first")
			p.ClientMessageID = strings.Repeat("aZ9_-", 12) + "0123"
			first := e.append(p)
			if first.Replayed || first.Message.ClientMessageID != p.ClientMessageID {
				e.Errorf("the first call = %+v, want it new and with its key", first)
			}
			with := func(content string) chat.AppendParams {
				again := e.message(patient, content)
				again.ClientMessageID = p.ClientMessageID
				again.Enqueue = &realtime.Enqueue{}
				return again
			}
			repeat := func(what, content string, want chat.Message) {
				e.Helper()
				unchanged := e.unchanged()
				done := e.append(with(content))
				if !done.Replayed {
					e.Errorf("a repeat %s is not Replayed", what)
				}
				e.same("a repeat "+what, done.Message, want)
				unchanged()
			}
			reused := func(what string) {
				e.Helper()
				unchanged := e.unchanged()
				_, err := e.store.Append(e.ctx, with("another text"))
				e.isErr("Append of another text "+what, err, consultation.ErrKeyReused)
				unchanged()
			}
			repeat("at once", "first", first.Message)
			reused("at once")
			edited, err := e.store.Edit(e.ctx, chat.EditParams{ID: p.ID, By: patient.UserID, Content: "edited", Window: -1})
			if err != nil {
				e.Fatalf("Edit: %v", err)
			}
			repeat("after an edit", "first", edited.Message)
			repeat("after an edit, with another text", "another text", edited.Message)
			deleted, err := e.store.Delete(e.ctx, chat.DeleteParams{ID: p.ID, By: patient.UserID, Window: -1})
			if err != nil {
				e.Fatalf("Delete: %v", err)
			}
			repeat("after a deletion", "first", deleted.Message)
			repeat("after a deletion, with another text", "another text", deleted.Message)
			p = e.message(patient, "first")
			p.ClientMessageID = "second-key"
			second := e.append(p)
			e.change(complete(room))
			repeat("after the end", "first", second.Message)
			reused("after the end")
		},
	}, {
		name:     "append/key-scope",
		contract: messages,
		clauses: says(
			"A known ClientMessageID of this sender in this consultation",
			`ClientMessageID makes the send repeatable; "" does not.`,
		),
		run: func(e *env) {
			e.start(room)
			e.start("second")
			for _, p := range []chat.AppendParams{
				{ConsultationID: room, SenderID: patient.UserID, ClientMessageID: "key"},
				{ConsultationID: room, SenderID: student.UserID, ClientMessageID: "key"},
				{ConsultationID: "second", SenderID: patient.UserID, ClientMessageID: "key"},
				{ConsultationID: room, SenderID: patient.UserID, ClientMessageID: "KEY"},
				{ConsultationID: room, SenderID: patient.UserID},
				{ConsultationID: room, SenderID: patient.UserID},
			} {
				p.ID, p.Content = e.message(patient, "").ID, "the same text"
				if done := e.append(p); done.Replayed || done.Message.ID != p.ID {
					e.Errorf("Append by %s in %s with the key %q was taken for a repeat", p.SenderID, p.ConsultationID, p.ClientMessageID)
				}
			}
		},
	}, {
		name:     "append/not-active",
		contract: messages,
		clauses:  says("Otherwise a consultation that is not IN_PROGRESS gives a [*consultation.NotActiveError]."),
		run: func(e *env) {
			refused := func(sender consultation.Participant, status consultation.Status) {
				e.Helper()
				unchanged := e.unchanged()
				p := e.message(sender, "hello")
				p.ClientMessageID, p.Enqueue = "new", &realtime.Enqueue{}
				_, err := e.store.Append(e.ctx, p)
				e.notActive("Append while "+string(status), err, status)
				unchanged()
			}
			e.create(room)
			refused(patient, consultation.StatusRequested)
			e.change(accept(room, student))
			e.send(patient, "hello")
			e.change(complete(room))
			refused(patient, consultation.StatusCompleted)
			refused(student, consultation.StatusCompleted)
		},
	}, {
		name:     "append/refused",
		contract: messages,
		clauses: says(
			"A viewer, sender or reader who is neither the patient nor the student assigned at this moment gets "+
				"[consultation.ErrNotParticipant], from every method and before anything else is checked;",
			"a consultation that does not exist gives [consultation.ErrNotFound].",
		),
		run: func(e *env) {
			e.start(room)
			known := e.message(student, "hello")
			known.ClientMessageID = "key"
			e.append(known)
			e.change(reassign(room, other))
			refused := func(what string, p chat.AppendParams) {
				e.Helper()
				unchanged := e.unchanged()
				p.Enqueue = &realtime.Enqueue{}
				_, err := e.store.Append(e.ctx, p)
				e.isErr("Append by "+what, err, consultation.ErrNotParticipant)
				unchanged()
			}
			refused("a stranger", e.message(stranger, "hello"))
			refused("nobody", e.message(consultation.Participant{}, "hello"))
			refused("a student who was replaced", e.message(student, "hello"))
			refused("a student who was replaced, with a known key", known)
			e.change(cancel(room))
			refused("a stranger after the end", e.message(stranger, "hello"))
			p := e.message(patient, "hello")
			p.ConsultationID = "unknown"
			_, err := e.store.Append(e.ctx, p)
			e.isErr("Append to an unknown consultation", err, consultation.ErrNotFound)
		},
	}}
}
