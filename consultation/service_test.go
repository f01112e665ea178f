package consultation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/memstore"
)

func TestNewService(t *testing.T) {
	t.Parallel()
	_, err := consultation.NewService(nil, &recorder{}, nil)
	require.Error(t, err)
	_, err = consultation.NewService(memstore.New(), nil, nil)
	require.Error(t, err)
	_, err = consultation.NewService(memstore.New(), &recorder{}, nil)
	require.NoError(t, err)
}

func TestRequest(t *testing.T) {
	t.Parallel()
	b := setup(t, consultation.Options{})
	c, err := b.Request(t.Context(), consultation.RequestParams{Topic: "  Rücken\n", Patient: patient})
	require.NoError(t, err)
	require.Equal(t, 1, b.store.calls)
	require.Equal(t, requested, c.Status)
	require.Equal(t, "Rücken", c.Topic)
	require.Equal(t, patient, c.Patient)
	require.Empty(t, b.to.take(), "nobody is subscribed yet")
	id, err := uuid.Parse(string(c.ID))
	require.NoError(t, err)
	require.EqualValues(t, 7, id.Version())

	own := consultation.RequestParams{ID: "own-id", Topic: "x", Patient: patient, By: consultation.Person(patient)}
	c, err = b.Request(t.Context(), own)
	require.NoError(t, err)
	require.EqualValues(t, "own-id", c.ID)
	_, err = b.Request(t.Context(), own)
	require.ErrorIs(t, err, consultation.ErrExists)

	got, err := b.Get(t.Context(), "own-id", patient.UserID)
	require.NoError(t, err)
	require.Equal(t, c, got)
}

func TestRequestRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t, consultation.Options{MaxTopic: 10})
	nameless := patient
	nameless.Role = ""
	for _, c := range []struct {
		name, field string
		p           consultation.RequestParams
	}{
		{"a bad id", "consultationId", consultation.RequestParams{ID: "a b", Topic: "x", Patient: patient}},
		{"a bad patient", "role", consultation.RequestParams{Topic: "x", Patient: nameless}},
		{"no topic", "topic", consultation.RequestParams{Patient: patient}},
		{"a blank topic", "topic", consultation.RequestParams{Topic: " \u00a0\n", Patient: patient}},
		{"a long topic", "topic", consultation.RequestParams{Topic: strings.Repeat("ä", 11), Patient: patient}},
		{"a topic with NUL", "topic", consultation.RequestParams{Topic: "a\x00b", Patient: patient}},
		{"a topic that is not UTF-8", "topic", consultation.RequestParams{Topic: "\xff", Patient: patient}},
	} {
		_, err := b.Request(t.Context(), c.p)
		require.Error(t, err, c.name)
		invalid(t, err, c.field)
	}
	for name, p := range map[string]consultation.RequestParams{
		"a student":      {Topic: "x", Patient: student},
		"for another":    {Topic: "x", Patient: patient, By: consultation.Person(outsider)},
		"by the student": {Topic: "x", Patient: patient, By: consultation.Person(student)},
	} {
		_, err := b.Request(t.Context(), p)
		require.ErrorIs(t, err, consultation.ErrForbidden, name)
	}
	require.Zero(t, b.store.calls, "a refused request has reached the store")
	_, err := b.Request(t.Context(), consultation.RequestParams{Topic: strings.Repeat("𝄞", 10), Patient: student, By: consultation.Host()})
	require.NoError(t, err, "the host asks for anybody")
}

func TestGet(t *testing.T) {
	t.Parallel()
	b := setup(t, consultation.Options{})
	id := b.start(t)
	for _, viewer := range []consultation.UserID{patient.UserID, student.UserID} {
		c, err := b.Get(t.Context(), id, viewer)
		require.NoError(t, err)
		require.Equal(t, id, c.ID)
	}
	require.Equal(t, 2, b.store.calls)
	_, err := b.Get(t.Context(), id, other.UserID)
	require.ErrorIs(t, err, consultation.ErrNotFound)
	_, err = b.Get(t.Context(), "unknown", patient.UserID)
	require.ErrorIs(t, err, consultation.ErrNotFound)
	b.store.calls = 0
	_, err = b.Get(t.Context(), id, "")
	invalid(t, err, "userId")
	_, err = b.Get(t.Context(), "", patient.UserID)
	invalid(t, err, "consultationId")
	require.Zero(t, b.store.calls)
}

func names(events []realtime.Event) []string {
	var all []string
	for _, ev := range events {
		all = append(all, ev.Name)
	}
	return all
}

func TestTransitions(t *testing.T) {
	t.Parallel()
	b := setup(t, consultation.Options{})
	id := b.request(t)

	p := by(id, student)
	p.Except = "1.2"
	c, err := b.Accept(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, inProgress, c.Status)
	require.Equal(t, &student, c.Student)
	events := b.to.take()
	require.Equal(t, []string{"status-update", "consultation-updated"}, names(events))
	for _, ev := range events {
		require.Equal(t, consultation.Channel(id, 1), ev.Channel)
		require.EqualValues(t, "1.2", ev.Except)
		require.NoError(t, ev.Validate())
		require.Contains(t, string(ev.Data), `"rev":2`)
	}
	require.Contains(t, string(events[0].Data), `"at":"`+consultation.FormatTime(c.UpdatedAt)+`"`)

	_, err = b.Accept(t.Context(), by(id, other))
	var conflict *consultation.ConflictError
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, inProgress, conflict.Status)
	require.Empty(t, b.to.take(), "a refused change is told to nobody")

	c, err = b.Reassign(t.Context(), byHost(id, &other))
	require.NoError(t, err)
	require.Equal(t, &other, c.Student)
	require.Equal(t, []string{"consultation-updated", "resync-required"}, names(b.to.take()))
	c, err = b.Reassign(t.Context(), byHost(id, &other))
	require.NoError(t, err)
	require.EqualValues(t, 3, c.Rev, "a repeat raises the rev")
	require.Empty(t, b.to.take(), "a repeat is announced")

	_, err = b.Complete(t.Context(), by(id, student))
	require.ErrorIs(t, err, consultation.ErrNotParticipant)
	c, err = b.Complete(t.Context(), by(id, other))
	require.NoError(t, err)
	require.Equal(t, completed, c.Status)
	require.EqualValues(t, 4, c.Rev)
	require.Equal(t, []string{"status-update"}, names(b.to.take()))

	_, err = b.Cancel(t.Context(), by(id, patient))
	require.ErrorIs(t, err, consultation.ErrConflict)
	require.Equal(t, 7, b.store.calls, "each call is one call of the store")

	id = b.request(t)
	_, err = b.Accept(t.Context(), byHost(id, &student))
	require.NoError(t, err)
	_, err = b.Cancel(t.Context(), by(id, patient))
	require.NoError(t, err)
	require.Equal(t, []string{"status-update", "consultation-updated", "status-update"}, names(b.to.take()))
}

func TestTransitionRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t, consultation.Options{})
	id := b.start(t)
	bad := student
	bad.FirstName = "\xff"
	for _, c := range []struct {
		name, field string
		to          consultation.Status
		p           consultation.TransitionParams
	}{
		{"an unknown status", "status", "OPEN", by(id, student)},
		{"back to REQUESTED", "status", requested, by(id, student)},
		{"a bad id", "consultationId", completed, by("", student)},
		{"nobody", "userId", completed, consultation.TransitionParams{ID: id}},
		{"a bad person", "firstName", completed, by(id, bad)},
		{"the host names nobody", "student", inProgress, byHost(id, nil)},
		{"the host reassigns to nobody", "student", "", byHost(id, nil)},
		{"the host names somebody bad", "firstName", "", byHost(id, &bad)},
	} {
		_, err := b.Transition(t.Context(), c.to, c.p)
		require.Error(t, err, c.name)
		invalid(t, err, c.field)
	}
	require.Zero(t, b.store.calls, "bad input has reached the store")
	_, err := b.Reassign(t.Context(), by(id, student))
	require.ErrorIs(t, err, consultation.ErrForbidden)
	_, err = b.Reassign(t.Context(), byHost(id, &patient))
	invalid(t, err, "student")
	require.Empty(t, b.to.take())
}

func TestPersonCannotNameAnother(t *testing.T) {
	t.Parallel()
	b := setup(t, consultation.Options{})
	p := by(b.request(t), student)
	p.Student = &other
	c, err := b.Accept(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, &student, c.Student, "a student who accepts is assigned themselves")
	p = by(c.ID, student)
	p.Student = &other
	c, err = b.Complete(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, &student, c.Student)
}

// TestStrangersLearnNothing has a policy that refuses all, and each transition of users who do not take part.
func TestStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	failure := errors.New("the policy's database is down")
	hidden := fmt.Errorf("%w: another clinic", consultation.ErrForbidden)
	answer := hidden
	b := setup(t, consultation.Options{Policy: func(_ context.Context, a consultation.Action, _ consultation.ID, _ consultation.Participant) error {
		if a == consultation.ActionRequest {
			return nil
		}
		return answer
	}})
	id := b.request(t)
	for _, to := range []consultation.Status{inProgress, completed, consultation.StatusCancelled} {
		for _, p := range []consultation.Participant{outsider, student} {
			b.store.calls = 0
			_, err := b.Transition(t.Context(), to, by(id, p))
			require.ErrorIs(t, err, consultation.ErrNotFound, "%s by %s", to, p.UserID)
			calls := b.store.calls
			_, err = b.Transition(t.Context(), to, by("unknown", p))
			require.ErrorIs(t, err, consultation.ErrNotFound)
			require.Equal(t, 2*calls, b.store.calls, "the work is the same")
		}
	}
	may, err := b.MayList(t.Context(), student, id)
	require.NoError(t, err)
	require.False(t, may)
	answer = failure
	_, err = b.MayList(t.Context(), student, id)
	require.ErrorIs(t, err, failure)
	_, err = b.Accept(t.Context(), by(id, student))
	require.ErrorIs(t, err, failure)
	_, err = b.Cancel(t.Context(), by(id, outsider))
	require.ErrorIs(t, err, consultation.ErrNotFound, "the policy is not asked")

	answer = nil
	_, err = b.Accept(t.Context(), byHost(id, &student))
	require.NoError(t, err)
	_, err = b.Accept(t.Context(), by(id, other))
	require.ErrorIs(t, err, consultation.ErrConflict, "a student who could see the request learns that another was faster")
	answer = hidden
	_, err = b.Accept(t.Context(), by(id, other))
	require.ErrorIs(t, err, consultation.ErrNotFound)
	_, err = b.Accept(t.Context(), by(id, student))
	require.NoError(t, err, "a repeat")
	_, err = b.Complete(t.Context(), by(id, student))
	require.ErrorIs(t, err, consultation.ErrForbidden, "a participant may know")
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	type call struct {
		action consultation.Action
		id     consultation.ID
		by     consultation.UserID
	}
	var asked []call
	full := fmt.Errorf("%w: three consultations at once are enough", consultation.ErrForbidden)
	var refuse error
	b := setup(t, consultation.Options{Policy: func(_ context.Context, a consultation.Action, id consultation.ID, p consultation.Participant) error {
		asked = append(asked, call{a, id, p.UserID})
		return refuse
	}})
	id := b.request(t)
	_, err := b.Accept(t.Context(), by(id, student))
	require.NoError(t, err)
	_, err = b.Reassign(t.Context(), by(id, patient))
	require.ErrorIs(t, err, consultation.ErrForbidden, "a policy cannot allow what the rules forbid")
	for range 2 {
		_, err = b.Complete(t.Context(), by(id, student))
		require.NoError(t, err, "a repeat is not asked about")
	}
	_, err = b.Cancel(t.Context(), by(id, patient))
	require.ErrorIs(t, err, consultation.ErrConflict)
	require.Equal(t, []call{
		{consultation.ActionRequest, "", patient.UserID},
		{consultation.ActionList, id, student.UserID},
		{consultation.ActionAccept, id, student.UserID},
		{consultation.ActionReassign, id, patient.UserID},
		{consultation.ActionComplete, id, student.UserID},
		{consultation.ActionCancel, id, patient.UserID},
	}, asked)

	refuse, asked = full, nil
	b.store.calls = 0
	_, err = b.Request(t.Context(), consultation.RequestParams{Topic: "x", Patient: patient})
	require.ErrorIs(t, err, consultation.ErrForbidden)
	require.ErrorIs(t, err, full)
	_, err = b.Cancel(t.Context(), by(id, patient))
	require.ErrorIs(t, err, consultation.ErrForbidden)
	require.ErrorIs(t, err, full)
	require.Equal(t, 1, b.store.calls, "the consultation is read, to see who asks")
	require.Len(t, asked, 2)

	refuse, asked = errors.New("the database is down"), nil
	for _, do := range []func() error{
		func() error {
			_, err := b.Request(t.Context(), consultation.RequestParams{Topic: "x", Patient: patient})
			return err
		},
		func() error { _, err := b.Cancel(t.Context(), by(id, patient)); return err },
	} {
		err = do()
		require.ErrorIs(t, err, refuse)
		require.NotErrorIs(t, err, consultation.ErrForbidden, "a failure is no refusal")
	}
	require.Equal(t, 2, b.store.calls)
	require.Len(t, asked, 2)

	_, err = b.Request(t.Context(), consultation.RequestParams{Topic: "x", Patient: patient, By: consultation.Host()})
	require.NoError(t, err)
	require.Len(t, asked, 2, "the policy is not asked about the host")
}
