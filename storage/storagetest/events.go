package storagetest

import (
	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// entry claims the one entry that is due and leaves it claimable.
func (e *env) entry() realtime.Entry {
	e.Helper()
	got := e.await(10, 0)
	if len(got) != 1 {
		e.Fatalf("%d entries are due, want 1", len(got))
	}
	return got[0]
}

// tells fails the case unless the entry's event is the one of the message.
func (e *env) tells(what string, entry realtime.Entry, event string, m chat.Message, except realtime.SocketID) {
	e.Helper()
	want, err := chat.MessageEvent(event, m, e.audience(), except)
	if err != nil {
		e.Fatal(err)
	}
	e.same(what, entry.Event, want)
}

// audience returns the present audience of the room.
func (e *env) audience() consultation.Audience {
	e.Helper()
	c := e.consultation()
	return c.Audience()
}

// covers fails the case unless the entry's resync reaches the consultation's rev.
func (e *env) covers(what string, entry realtime.Entry) {
	e.Helper()
	rev := e.consultation().Rev
	e.same(what+": Resync", entry.Resync, chat.ResyncRequired(room, rev, e.audience()))
	if entry.ResyncRev != rev {
		e.Errorf("%s: ResyncRev is %d, want %d", what, entry.ResyncRev, rev)
	}
}

func eventCases() []testCase {
	return []testCase{{
		name:     "event/message",
		contract: outbox,
		clauses: says(
			"Event is what to publish, made from the rows as they are now: entries hold references, never content.",
			"Resync stands in for this and any number of other entries of the same channel: it tells the clients to fetch.",
			"ResyncRev is how far Resync reaches: it covers every entry of the channel up to this rev.",
			"Except is kept with the entry and becomes [Event.Except], also after retries.",
		),
		run: func(e *env) {
			e.start(room)
			p := e.message(student, "first")
			p.Enqueue = &realtime.Enqueue{Except: "123456789.987654321"}
			m := e.append(p).Message
			entry := e.entry()
			e.tells("of a new message", entry, chat.EventNewMessage, m, p.Enqueue.Except)
			e.covers("of a new message", entry)
			m = e.edit(m, "second").Message
			e.send(patient, "another")
			entry = e.entry()
			e.tells("of a message edited since", entry, chat.EventNewMessage, m, p.Enqueue.Except)
			e.covers("of a message edited since", entry)
			e.nack(realtime.NackParams{IDs: []int64{entry.ID}})
			e.change(reassign(room, other))
			entry = e.entry()
			e.tells("of a message whose sender was replaced since", entry, chat.EventNewMessage, m, p.Enqueue.Except)
			e.covers("of a message whose sender was replaced since", entry)
		},
	}, {
		name:     "event/deleted",
		contract: outbox,
		clauses:  says("Event is what to publish, made from the rows as they are now: entries hold references, never content."),
		run: func(e *env) {
			e.start(room)
			p := e.message(patient, "geheim")
			p.Enqueue = &realtime.Enqueue{}
			m := e.append(p).Message
			m = e.delete(m).Message
			entry := e.entry()
			e.tells("of a message deleted since", entry, chat.EventMessageDeleted, m, "")
			e.covers("of a message deleted since", entry)
		},
	}, {
		name:     "event/consultation",
		contract: outbox,
		clauses: says(
			"Event is what to publish, made from the rows as they are now: entries hold references, never content.",
			"Except is kept with the entry and becomes [Event.Except], also after retries.",
		),
		run: func(e *env) {
			e.create(room)
			p := consultation.ChangeParams{Change: accept(room, student), Enqueue: &realtime.Enqueue{Except: "5.6"}}
			done, err := e.store.Change(e.ctx, p)
			if err != nil {
				e.Fatal(err)
			}
			c := e.change(reassign(room, other)).Consultation
			for range 2 {
				entries := e.claim(10, 0)
				if len(entries) != 2 {
					e.Fatalf("%d entries, want 2", len(entries))
				}
				for _, entry := range entries {
					switch entry.ID {
					case done.StatusEntry:
						want := consultation.NewStatusUpdate(*done.Announcement.Status, c.Audience(), "5.6")
						e.same("the change of status, as it was", entry.Event, want)
					case done.AssignmentEntry:
						want := consultation.NewConsultationUpdated(c, done.Consultation.Rev, "5.6")
						e.same("the assignment, as it is now", entry.Event, want)
					default:
						e.Errorf("Claim returns the unknown entry %d", entry.ID)
					}
					e.covers("a change", entry)
				}
			}
		},
	}, {
		name:     "event/left",
		contract: outbox,
		clauses: says(
			"Left, if it is not empty, takes the place of Event: notices to channels that the consultation has left.",
			"Resync does not stand in for them.",
		),
		run: func(e *env) {
			e.start(room)
			p := e.message(patient, "before")
			p.Enqueue = &realtime.Enqueue{}
			e.append(p)
			queued := e.entry()
			e.ack(queued.ID)
			for _, to := range []consultation.Participant{other, student} {
				p := consultation.ChangeParams{Change: reassign(room, to), Enqueue: &realtime.Enqueue{Except: "5.6"}}
				done, err := e.store.Change(e.ctx, p)
				if err != nil || done.LeftEntry == 0 {
					e.Fatalf("a reassignment has the entry %d for the channel that was left, %v", done.LeftEntry, err)
				}
				e.ack(done.AssignmentEntry)
			}
			entries := e.claim(10, forever)
			if len(entries) != 2 {
				e.Fatalf("%d entries, want one for each reassignment", len(entries))
			}
			want := []realtime.Event{
				consultation.NewResyncRequired(room, consultation.Channel(room, 2), 0),
				consultation.NewResyncRequired(room, consultation.Channel(room, 1), 0),
			}
			for _, entry := range entries {
				e.same("the notices", entry.Left, want)
				e.covers("a reassignment", entry)
			}
		},
	}}
}
