package storagetest

import (
	"errors"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

func changeCases() []testCase {
	return []testCase{{
		name:     "change/stored",
		contract: consultations,
		clauses: says(
			"Change locks the consultation's row, calls [Change.Apply] with it and the store's clock, and stores the result",
			"Changed is the result of a change.",
			"StatusEntry, AssignmentEntry and LeftEntry are the ids of the outbox entries for the parts of the announcement, 0 "+
				"for one that was not written.",
		),
		run: func(e *env) {
			before := e.create(room)
			renamed := student
			renamed.LastName = "Neumann"
			for _, step := range []struct {
				change     consultation.Change
				status     consultation.Status
				student    *consultation.Participant
				announced  bool
				assignment bool
				audience   int
			}{
				{accept(room, student), consultation.StatusInProgress, &student, true, true, 1},
				{reassign(room, other), consultation.StatusInProgress, &other, false, true, 2},
				{reassign(room, student), consultation.StatusInProgress, &student, false, true, 3},
				{reassign(room, renamed), consultation.StatusInProgress, &renamed, false, true, 3},
				{consultation.Change{ID: room, By: consultation.Host(), NewAudience: true}, consultation.StatusInProgress, &renamed, false, true, 4},
				{complete(room), consultation.StatusCompleted, &renamed, true, false, 4},
			} {
				tick()
				done := e.change(step.change)
				c := done.Consultation
				want := before
				want.Status, want.Student, want.Rev, want.UpdatedAt = step.status, step.student, before.Rev+1, c.UpdatedAt
				want.AudienceNumber = step.audience
				e.same("Change to "+string(step.change.To), c, want)
				e.isTime("UpdatedAt", c.UpdatedAt)
				if !c.UpdatedAt.After(before.UpdatedAt) {
					e.Errorf("UpdatedAt %v is not after %v", c.UpdatedAt, before.UpdatedAt)
				}
				e.same("the announcement", done.Announcement, step.change.Announce(before, c))
				if (done.Announcement.Status != nil) != step.announced || done.Announcement.Assignment != step.assignment {
					e.Errorf("announcement = %+v, want status %v and assignment %v", done.Announcement, step.announced, step.assignment)
				}
				if done.StatusEntry != 0 || done.AssignmentEntry != 0 || done.LeftEntry != 0 {
					e.Errorf("entries %d, %d and %d, want 0 without Enqueue", done.StatusEntry, done.AssignmentEntry, done.LeftEntry)
				}
				e.same("the consultation as read", e.consultation(), c)
				before = c
			}
			if b := e.backlog(); b.Pending != 0 {
				e.Errorf("%d outbox entries without Enqueue, want none", b.Pending)
			}
		},
	}, {
		name:     "change/entries",
		contract: consultations,
		clauses: says(
			"together with one outbox entry for each part of the [Announcement], if p.Enqueue is set.",
			"ChangeParams is a [Change] with the outbox entries that are to be written in the same step, nil for none.",
		),
		run: func(e *env) {
			e.create(room)
			for _, step := range []struct {
				change                   consultation.Change
				status, assignment, left bool
			}{
				{accept(room, student), true, true, false},
				{reassign(room, other), false, true, true},
				{cancel(room), true, false, false},
			} {
				p := consultation.ChangeParams{Change: step.change, Enqueue: &realtime.Enqueue{Except: "1.2"}}
				done, err := e.store.Change(e.ctx, p)
				if err != nil {
					e.Fatalf("Change to %q: %v", step.change.To, err)
				}
				if (done.StatusEntry != 0) != step.status || (done.AssignmentEntry != 0) != step.assignment || (done.LeftEntry != 0) != step.left {
					e.Errorf("entries %d, %d and %d, want status %v, assignment %v and left %v",
						done.StatusEntry, done.AssignmentEntry, done.LeftEntry, step.status, step.assignment, step.left)
				}
				to := done.Consultation.Audience()
				want := map[int64]realtime.Event{}
				if step.status && done.Announcement.Status != nil {
					want[done.StatusEntry] = consultation.NewStatusUpdate(*done.Announcement.Status, to, "1.2")
				}
				if step.assignment {
					want[done.AssignmentEntry] = consultation.NewConsultationUpdated(done.Consultation, done.Consultation.Rev, "1.2")
				}
				if step.left {
					want[done.LeftEntry] = chat.ResyncRequired(room, done.Consultation.Rev, to)
				}
				entries := e.claim(10, forever)
				if len(entries) != len(want) {
					e.Errorf("%d outbox entries for a change to %q, want %d", len(entries), step.change.To, len(want))
				}
				for _, entry := range entries {
					e.same("the event of an entry", entry.Event, want[entry.ID])
				}
			}
		},
	}, {
		name:     "change/unchanged",
		contract: consultations,
		clauses:  says("An outcome that is Unchanged stores nothing."),
		run: func(e *env) {
			e.start(room)
			p := consultation.ChangeParams{Change: accept(room, student), Enqueue: &realtime.Enqueue{}}
			for _, p.Change = range []consultation.Change{accept(room, student), reassign(room, student)} {
				before, unchanged := e.consultation(), e.unchanged()
				done, err := e.store.Change(e.ctx, p)
				if err != nil || !done.Unchanged || done.Announcement != (consultation.Announcement{}) {
					e.Fatalf("a repeated change to %q: %+v, %v, want an unchanged consultation without an announcement", p.To, done, err)
				}
				e.same("the consultation", done.Consultation, before)
				unchanged()
			}
		},
	}, {
		name:     "change/refused",
		contract: consultations,
		clauses: says(
			"Errors of Apply come back as they are.",
			"A method either does all that it says or nothing, and an error means nothing.",
		),
		run: func(e *env) {
			c := e.start(room)
			for _, ch := range []consultation.Change{
				accept(room, other),
				{ID: room, By: consultation.Person(patient), To: consultation.StatusCompleted},
				{ID: room, By: consultation.Person(stranger), To: consultation.StatusCancelled},
				{ID: room, By: consultation.Person(student), Student: &other},
				{ID: room, By: consultation.Host(), To: consultation.StatusInProgress, Student: &other},
				{ID: room, By: consultation.Host(), To: consultation.StatusRequested},
				{ID: room, By: consultation.Host(), Student: &patient},
				{ID: room, To: consultation.StatusCancelled},
			} {
				_, want := ch.Apply(c, time.Time{})
				unchanged := e.unchanged()
				_, err := e.store.Change(e.ctx, consultation.ChangeParams{Change: ch, Enqueue: &realtime.Enqueue{}})
				if want == nil || err == nil || err.Error() != want.Error() {
					e.Errorf("Change to %q: the error is %v, want %v", ch.To, err, want)
				}
				for _, target := range []error{consultation.ErrForbidden, consultation.ErrNotParticipant, consultation.ErrConflict} {
					if errors.Is(err, target) != errors.Is(want, target) {
						e.Errorf("Change to %q: errors.Is(%v, %v) is %v", ch.To, err, target, errors.Is(err, target))
					}
				}
				unchanged()
			}
		},
	}, {
		name:     "change/unknown",
		contract: consultations,
		clauses:  says("A consultation that does not exist gives [ErrNotFound]."),
		run: func(e *env) {
			for _, ch := range []consultation.Change{cancel("unknown"), reassign("unknown", student), accept("unknown", student)} {
				_, err := e.store.Change(e.ctx, consultation.ChangeParams{Change: ch})
				e.isErr("Change of an unknown consultation", err, consultation.ErrNotFound)
			}
		},
	}, {
		name:     "change/final",
		contract: consultations,
		clauses: says("From the moment that Change has returned, a student who was replaced, and everybody in a consultation " +
			"that has ended, can store no message."),
		run: func(e *env) {
			e.start(room)
			e.change(reassign(room, other))
			_, err := e.store.Append(e.ctx, e.message(student, "still here?"))
			e.isErr("Append by a student who was replaced", err, consultation.ErrNotParticipant)
			e.change(cancel(room))
			for _, p := range []consultation.Participant{patient, other} {
				_, err := e.store.Append(e.ctx, e.message(p, "one more thing"))
				e.notActive("Append after the end", err, consultation.StatusCancelled)
			}
			if n := len(e.history().Messages); n != 0 {
				e.Errorf("%d messages are stored, want none", n)
			}
		},
	}}
}
