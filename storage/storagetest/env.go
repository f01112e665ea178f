package storagetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// patience bounds every case, so that a store that blocks fails instead of hanging.
const patience = 2 * time.Minute

// soon bounds the wait for a lease of a microsecond to run out.
const soon = 10 * time.Second

// forever stands for a lease, a window or a delay that does not end within a case.
const forever = 24 * time.Hour

// room is the consultation that most cases are about.
const room = consultation.ID("room")

// env is what a case works with: one store, and shorthands that fail the case on an unexpected error.
type env struct {
	*testing.T
	ctx     context.Context
	store   Store
	harness Harness
	ids     atomic.Int64
}

func newEnv(t *testing.T, h Harness) *env {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return &env{T: t, ctx: ctx, store: h.New(t), harness: h}
}

// The people of the cases. Their names need more than one byte a character, and one has no picture.
var (
	patient = consultation.Participant{
		UserID: "patient-1", Role: consultation.RolePatient, FirstName: "Zoë", LastName: "Müller", Image: "https://example.org/zoe.png",
	}
	student = consultation.Participant{
		UserID: "student-1", Role: consultation.RoleStudent, FirstName: "Jürgen", LastName: "𝒮mith",
	}
	other = consultation.Participant{
		UserID: "student-2", Role: consultation.RoleStudent, FirstName: "Anaïs", LastName: "Núñez", Image: "https://example.org/a.png",
	}
	stranger = consultation.Participant{
		UserID: "stranger", Role: consultation.RoleStudent, FirstName: "Nobody", LastName: "Here",
	}
)

// create stores a REQUESTED consultation of the patient.
func (e *env) create(id consultation.ID) consultation.Consultation {
	e.Helper()
	c, err := e.store.Create(e.ctx, consultation.CreateParams{ID: id, Topic: "Rückenschmerzen", Patient: patient})
	if err != nil {
		e.Fatalf("Create: %v", err)
	}
	return c
}

// start stores a consultation that is IN_PROGRESS between the patient and the student, at rev 2.
func (e *env) start(id consultation.ID) consultation.Consultation {
	e.Helper()
	e.create(id)
	return e.change(accept(id, student)).Consultation
}

// change applies ch, without outbox entries.
func (e *env) change(ch consultation.Change) consultation.Changed {
	e.Helper()
	done, err := e.store.Change(e.ctx, consultation.ChangeParams{Change: ch})
	if err != nil {
		e.Fatalf("Change to %q: %v", ch.To, err)
	}
	return done
}

func accept(id consultation.ID, s consultation.Participant) consultation.Change {
	return consultation.Change{ID: id, By: consultation.Person(s), To: consultation.StatusInProgress, Student: &s}
}

func complete(id consultation.ID) consultation.Change {
	return consultation.Change{ID: id, By: consultation.Person(student), To: consultation.StatusCompleted}
}

func cancel(id consultation.ID) consultation.Change {
	return consultation.Change{ID: id, By: consultation.Person(patient), To: consultation.StatusCancelled}
}

func reassign(id consultation.ID, to consultation.Participant) consultation.Change {
	return consultation.Change{ID: id, By: consultation.Host(), Student: &to}
}

// message describes a new message in the room, with an id of its own.
func (e *env) message(sender consultation.Participant, content string) chat.AppendParams {
	return chat.AppendParams{
		ID:             chat.MessageID(fmt.Sprintf("m-%d", e.ids.Add(1))),
		ConsultationID: room,
		SenderID:       sender.UserID,
		Content:        content,
	}
}

// send stores a message in the room.
func (e *env) send(sender consultation.Participant, content string) chat.Message {
	e.Helper()
	return e.append(e.message(sender, content)).Message
}

func (e *env) append(p chat.AppendParams) chat.Appended {
	e.Helper()
	done, err := e.store.Append(e.ctx, p)
	if err != nil {
		e.Fatalf("Append: %v", err)
	}
	return done
}

// history returns the newest messages of the room, all of them as long as there are fewer than 1,000.
func (e *env) history() chat.Page {
	e.Helper()
	return e.page(0, 1000)
}

func (e *env) page(before int64, limit int) chat.Page {
	e.Helper()
	p := chat.HistoryParams{ConsultationID: room, Viewer: patient.UserID, Before: before, Limit: limit}
	page, err := e.store.History(e.ctx, p)
	if err != nil {
		e.Fatalf("History: %v", err)
	}
	return page
}

// consultation returns the room as the host sees it.
func (e *env) consultation() consultation.Consultation {
	e.Helper()
	c, err := e.store.Consultation(e.ctx, room, "")
	if err != nil {
		e.Fatalf("Consultation: %v", err)
	}
	return c
}

// unchanged returns a function that fails the case if anything about the room has changed since.
func (e *env) unchanged() func() {
	e.Helper()
	before := encode(e.T, e.history())
	backlog := e.backlog()
	return func() {
		e.Helper()
		if after := encode(e.T, e.history()); after != before {
			e.Errorf("something was stored:\n before %s\n after  %s", before, after)
		}
		if after := e.backlog(); after.Pending != backlog.Pending || after.Parked != backlog.Parked {
			e.Errorf("the outbox has changed from %+v to %+v", backlog, after)
		}
	}
}

func (e *env) backlog() realtime.Backlog {
	e.Helper()
	b, err := e.store.Backlog(e.ctx)
	if err != nil {
		e.Fatalf("Backlog: %v", err)
	}
	return b
}

// tick lets the store's clock get ahead of all that was stored before: the clocks count microseconds.
func tick() {
	for start := time.Now(); time.Since(start) < 5*time.Microsecond; {
	}
}

// encode returns the JSON form of v, in which two values are compared: it is what the clients get to see.
func encode(tb testing.TB, v any) string {
	tb.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		tb.Fatalf("encode %T: %v", v, err)
	}
	return string(b)
}

// same fails the case if got and want do not have the same JSON form, and the same audience if they are consultations.
func (e *env) same(what string, got, want any) {
	e.Helper()
	if g, w := encode(e.T, got), encode(e.T, want); g != w {
		e.Errorf("%s:\n got  %s\n want %s", what, g, w)
	}
	g, isHeader := got.(consultation.Consultation)
	if w, ok := want.(consultation.Consultation); ok && isHeader && g.AudienceNumber != w.AudienceNumber {
		e.Errorf("%s: the audience is %d, want %d", what, g.AudienceNumber, w.AudienceNumber)
	}
}

// isErr fails the case unless err matches target.
func (e *env) isErr(what string, err, target error) {
	e.Helper()
	if !errors.Is(err, target) {
		e.Errorf("%s: the error is %v, want one that matches %v", what, err, target)
	}
}

// notActive fails the case unless err is a NotActiveError with the status.
func (e *env) notActive(what string, err error, status consultation.Status) {
	e.Helper()
	var is *consultation.NotActiveError
	if !errors.As(err, &is) || is.Status != status {
		e.Errorf("%s: the error is %v, want a NotActiveError with %s", what, err, status)
	}
}

// conflict fails the case unless err is a ConflictError with the status.
func (e *env) conflict(what string, err error, status consultation.Status) {
	e.Helper()
	var is *consultation.ConflictError
	if !errors.As(err, &is) || is.Status != status {
		e.Errorf("%s: the error is %v, want a ConflictError with %s", what, err, status)
	}
}

// isTime fails the case unless t is a time by the store's clock as the contracts promise it.
func (e *env) isTime(what string, t time.Time) {
	e.Helper()
	switch {
	case t.IsZero():
		e.Errorf("%s is the zero time", what)
	case t.Location() != time.UTC:
		e.Errorf("%s is in %v, want UTC", what, t.Location())
	case !t.Equal(t.Truncate(time.Microsecond)):
		e.Errorf("%s is %v, want whole microseconds", what, t)
	}
}
