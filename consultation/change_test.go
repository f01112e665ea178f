package consultation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
)

var (
	patient  = person("patient-1", consultation.RolePatient, "Zoë")
	student  = person("student-1", consultation.RoleStudent, "Jürgen")
	other    = person("student-2", consultation.RoleStudent, "Anaïs")
	outsider = person("patient-2", consultation.RolePatient, "Nobody")

	then = time.Date(2026, 3, 1, 10, 0, 0, 123456000, time.UTC)
	now  = then.Add(time.Minute)
)

func person(id consultation.UserID, role consultation.Role, name string) consultation.Participant {
	return consultation.Participant{UserID: id, Role: role, FirstName: name, LastName: "Test", Image: "https://example.org/" + string(id)}
}

// at is a consultation of the patient with the status, and of the student unless nobody has accepted yet.
func at(s consultation.Status) consultation.Consultation {
	c := consultation.Consultation{
		ID: "room", Status: s, Topic: "Rücken", Patient: patient, Rev: 7, AudienceNumber: 1, CreatedAt: then, UpdatedAt: then,
	}
	if s != requested {
		assigned := student
		c.Student = &assigned
	}
	return c
}

// The outcomes of a change.
const (
	ok = "stored"
	no = "not a participant"
	fb = "forbidden"
	cf = "conflict"
	un = "unchanged"
)

func outcome(t *testing.T, c consultation.Consultation, err error) string {
	t.Helper()
	var conflict *consultation.ConflictError
	switch {
	case err == nil:
		return ok
	case isErr(err, consultation.ErrNotParticipant):
		require.ErrorIs(t, err, consultation.ErrNotFound)
		return no
	case isErr(err, consultation.ErrForbidden):
		return fb
	}
	require.ErrorAs(t, err, &conflict)
	require.ErrorIs(t, err, consultation.ErrConflict)
	require.Equal(t, c.Status, conflict.Status)
	return cf
}

func TestChangeApply(t *testing.T) {
	t.Parallel()
	columns := []struct {
		name string
		by   consultation.Actor
	}{
		{"patient", consultation.Person(patient)},
		{"student", consultation.Person(student)}, // assigned, but in a requested consultation
		{"other student", consultation.Person(other)},
		{"other patient", consultation.Person(outsider)},
		{"host", consultation.Host()},
		{"nobody", consultation.Actor{}},
	}
	for to, rows := range map[consultation.Status]map[consultation.Status][6]string{
		inProgress: {
			requested:  {fb, ok, ok, no, ok, no},
			inProgress: {fb, un, cf, no, cf, no},
			completed:  {fb, cf, cf, no, cf, no},
			cancelled:  {fb, cf, cf, no, cf, no},
		},
		completed: {
			requested:  {fb, no, no, no, cf, no},
			inProgress: {fb, ok, no, no, ok, no},
			completed:  {fb, un, no, no, un, no},
			cancelled:  {fb, cf, no, no, cf, no},
		},
		cancelled: {
			requested:  {ok, no, no, no, ok, no},
			inProgress: {ok, ok, no, no, ok, no},
			completed:  {cf, cf, no, no, cf, no},
			cancelled:  {un, un, no, no, un, no},
		},
		requested: {
			requested:  {fb, no, no, no, cf, no},
			inProgress: {fb, fb, no, no, cf, no},
			completed:  {fb, fb, no, no, cf, no},
			cancelled:  {fb, fb, no, no, cf, no},
		},
		"": { // the assignment alone
			requested:  {fb, no, no, no, cf, no},
			inProgress: {fb, fb, no, no, ok, no},
			completed:  {fb, fb, no, no, cf, no},
			cancelled:  {fb, fb, no, no, cf, no},
		},
	} {
		for from, row := range rows {
			for i, column := range columns {
				t.Run(fmt.Sprintf("%s makes %q of %s", column.name, to, from), func(t *testing.T) {
					t.Parallel()
					ch := consultation.Change{ID: "room", By: column.by, To: to}
					if to == inProgress || to == "" {
						assigned := column.by.Participant()
						if column.by.IsHost() {
							assigned = other
						}
						ch.Student = &assigned
					}
					before := at(from)
					got, err := ch.Apply(before, now)
					require.Equal(t, at(from), before, "Apply has changed its argument")
					if row[i] == un {
						require.NoError(t, err)
						require.Equal(t, consultation.Outcome{Consultation: before, Unchanged: true}, got)
						return
					}
					require.Equal(t, row[i], outcome(t, before, err), "%v", err)
					if err != nil {
						require.Zero(t, got)
						return
					}
					want := at(from)
					want.Rev, want.UpdatedAt = 8, now
					if to != "" {
						want.Status = to
					}
					if ch.Student != nil {
						want.Student = ch.Student
					}
					if to == "" {
						want.AudienceNumber = 2
					}
					require.Equal(t, consultation.Outcome{Consultation: want}, got)
				})
			}
		}
	}
}

func TestChangeApplyStudent(t *testing.T) {
	t.Parallel()
	both := person(patient.UserID, consultation.RoleStudent, "both")
	for _, c := range []struct {
		name string
		ch   consultation.Change
		want string
	}{
		{"the host names nobody", consultation.Change{By: consultation.Host(), To: inProgress}, cf},
		{"a student names nobody", consultation.Change{By: consultation.Person(student), To: inProgress}, no},
		{"a student names another", consultation.Change{By: consultation.Person(student), To: inProgress, Student: &other}, no},
		{"the patient as a student", consultation.Change{By: consultation.Person(both), To: inProgress, Student: &both}, fb},
		{"a role without an id", consultation.Change{
			By: consultation.Person(consultation.Participant{Role: consultation.RoleStudent}), To: inProgress, Student: &consultation.Participant{},
		}, no},
	} {
		_, err := c.ch.Apply(at(requested), now)
		require.Equal(t, c.want, outcome(t, at(requested), err), c.name)
	}
	for _, ch := range []consultation.Change{
		{By: consultation.Host(), To: inProgress, Student: &patient},
		{By: consultation.Host(), To: consultation.StatusCompleted, Student: &other},
		{By: consultation.Host(), To: consultation.StatusCancelled, Student: &other},
		{By: consultation.Host(), To: inProgress, Student: &both},
	} {
		_, err := ch.Apply(at(requested), now)
		invalid(t, err, "student")
	}
	given := other
	after, err := consultation.Change{By: consultation.Host(), Student: &given}.Apply(at(inProgress), now)
	require.NoError(t, err)
	given.FirstName = "changed"
	require.Equal(t, &other, after.Consultation.Student, "the result shares memory with the change")
}

func TestChangeApplyAudience(t *testing.T) {
	t.Parallel()
	renew := consultation.Change{By: consultation.Host(), NewAudience: true}
	renamed := student
	renamed.LastName = "Neumann"
	for name, tc := range map[string]struct {
		from   consultation.Status
		change consultation.Change
		want   int
	}{
		"another student":         {inProgress, consultation.Change{By: consultation.Host(), Student: &other}, 2},
		"the same, renamed":       {inProgress, consultation.Change{By: consultation.Host(), Student: &renamed}, 1},
		"the first student":       {requested, consultation.Change{By: consultation.Person(student), To: inProgress, Student: &student}, 1},
		"completed":               {inProgress, consultation.Change{By: consultation.Host(), To: completed}, 1},
		"renewed while requested": {requested, renew, 2},
		"renewed in progress":     {inProgress, renew, 2},
	} {
		before := at(tc.from)
		got, err := tc.change.Apply(before, now)
		require.NoError(t, err, name)
		require.Equal(t, tc.want, got.Consultation.AudienceNumber, name)
		require.EqualValues(t, 8, got.Consultation.Rev, name)
		a := tc.change.Announce(before, got.Consultation)
		require.True(t, a.Status != nil || a.Assignment, "%s: raises the rev without an event", name)
		require.Equal(t, tc.want-1, a.Left, name)
	}
	for _, from := range []consultation.Status{completed, cancelled} {
		_, err := renew.Apply(at(from), now)
		require.ErrorIs(t, err, consultation.ErrConflict)
	}
	_, err := consultation.Change{By: consultation.Person(student), NewAudience: true}.Apply(at(inProgress), now)
	require.ErrorIs(t, err, consultation.ErrForbidden)
	for _, ch := range []consultation.Change{
		{By: consultation.Host(), NewAudience: true, To: completed},
		{By: consultation.Host(), NewAudience: true, Student: &other},
	} {
		_, err := ch.Apply(at(inProgress), now)
		invalid(t, err, "student")
	}
	full := at(inProgress)
	full.AudienceNumber = consultation.MaxAudience
	_, err = renew.Apply(full, now)
	invalid(t, err, "student")
}

func TestChangeAnnounce(t *testing.T) {
	t.Parallel()
	announce := func(from consultation.Status, ch consultation.Change) consultation.Announcement {
		t.Helper()
		after, err := ch.Apply(at(from), now)
		require.NoError(t, err)
		return ch.Announce(at(from), after.Consultation)
	}
	update := func(s, previous consultation.Status, by consultation.UserID) *consultation.StatusUpdate {
		return &consultation.StatusUpdate{
			ConsultationID: "room", Status: s, PreviousStatus: previous, Rev: 8, By: by, At: "2026-03-01T10:01:00.123456Z",
		}
	}
	require.Equal(t,
		consultation.Announcement{Status: update(inProgress, requested, student.UserID), Assignment: true},
		announce(requested, consultation.Change{By: consultation.Person(student), To: inProgress, Student: &student}))
	require.Equal(t,
		consultation.Announcement{Status: update(completed, inProgress, "")},
		announce(inProgress, consultation.Change{By: consultation.Host(), To: completed}))
	require.Equal(t,
		consultation.Announcement{Status: update(cancelled, requested, patient.UserID)},
		announce(requested, consultation.Change{By: consultation.Person(patient), To: cancelled}))
	require.Equal(t,
		consultation.Announcement{Assignment: true, Left: 1},
		announce(inProgress, consultation.Change{By: consultation.Host(), Student: &other}))
	require.Equal(t,
		consultation.Announcement{},
		announce(inProgress, consultation.Change{By: consultation.Host(), Student: &student}), "the same student again")
}

func TestActor(t *testing.T) {
	t.Parallel()
	require.True(t, consultation.Host().IsHost())
	require.Zero(t, consultation.Host().Participant())
	require.False(t, consultation.Person(student).IsHost())
	require.Equal(t, student, consultation.Person(student).Participant())
	require.False(t, consultation.Actor{}.IsHost())
}
