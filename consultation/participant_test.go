package consultation_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
)

func TestParticipantValidate(t *testing.T) {
	t.Parallel()
	with := func(change func(p *consultation.Participant)) consultation.Participant {
		p := patient
		change(&p)
		return p
	}
	for name, p := range map[string]consultation.Participant{
		"a patient":        patient,
		"without names":    {UserID: "x", Role: "R"},
		"another role":     with(func(p *consultation.Participant) { p.Role = "SUPERVISOR" }),
		"the longest role": with(func(p *consultation.Participant) { p.Role = consultation.Role(strings.Repeat("R", 32)) }),
		"the longest names": with(func(p *consultation.Participant) {
			p.FirstName, p.LastName = strings.Repeat("𝄞", 200), strings.Repeat("ä", 200)
		}),
		"the longest image": with(func(p *consultation.Participant) { p.Image = strings.Repeat("x", 2048) }),
	} {
		require.NoError(t, p.Validate(), name)
	}
	for _, c := range []struct {
		name, field string
		p           consultation.Participant
	}{
		{"nobody", "userId", consultation.Participant{}},
		{"a bad id", "userId", with(func(p *consultation.Participant) { p.UserID = "a b" })},
		{"no role", "role", with(func(p *consultation.Participant) { p.Role = "" })},
		{"a long role", "role", with(func(p *consultation.Participant) { p.Role = consultation.Role(strings.Repeat("R", 33)) })},
		{"a role that is not UTF-8", "role", with(func(p *consultation.Participant) { p.Role = "\xff" })},
		{"a long first name", "firstName", with(func(p *consultation.Participant) { p.FirstName = strings.Repeat("a", 201) })},
		{"a first name with NUL", "firstName", with(func(p *consultation.Participant) { p.FirstName = "a\x00" })},
		{"a long last name", "lastName", with(func(p *consultation.Participant) { p.LastName = strings.Repeat("ä", 201) })},
		{"a last name that is not UTF-8", "lastName", with(func(p *consultation.Participant) { p.LastName = "M\xfcller" })},
		{"a long image", "image", with(func(p *consultation.Participant) { p.Image = strings.Repeat("x", 2049) })},
		{"an image with NUL", "image", with(func(p *consultation.Participant) { p.Image = "\x00" })},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			invalid(t, c.p.Validate(), c.field)
		})
	}
}

func TestConsultationJSON(t *testing.T) {
	t.Parallel()
	encode := func(v any) string {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		return string(b)
	}
	c := at(inProgress)
	c.Patient.Image = ""
	c.CreatedAt = then.Truncate(1e9).In(berlin)
	require.Equal(t, `{"id":"room","status":"IN_PROGRESS","topic":"Rücken",`+
		`"patient":{"id":"patient-1","role":"PATIENT","firstName":"Zoë","lastName":"Test"},`+
		`"student":{"id":"student-1","role":"STUDENT","firstName":"Jürgen","lastName":"Test","image":"https://example.org/student-1"},`+
		`"rev":7,"createdAt":"2026-03-01T10:00:00.000000Z","updatedAt":"2026-03-01T10:00:00.123456Z"}`, encode(c))
	require.Equal(t, encode(c), encode(&c))
	require.NotContains(t, encode(at(requested)), "student\"")
	var back consultation.Consultation
	require.NoError(t, json.Unmarshal([]byte(encode(at(inProgress))), &back))
	want := at(inProgress)
	want.AudienceNumber = 0 // it is not for clients
	require.Equal(t, want, back)
}

func TestConsultationParticipant(t *testing.T) {
	t.Parallel()
	c := at(inProgress)
	for id, want := range map[consultation.UserID]consultation.Participant{patient.UserID: patient, student.UserID: student} {
		got, ok := c.Participant(id)
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	for _, id := range []consultation.UserID{"", other.UserID, "PATIENT-1"} {
		_, ok := c.Participant(id)
		require.False(t, ok, id)
	}
	c = at(requested)
	_, ok := c.Participant(student.UserID)
	require.False(t, ok)
	c.Patient.UserID = ""
	_, ok = c.Participant("")
	require.False(t, ok, "the empty id is nobody")
}

func TestConsultationOpen(t *testing.T) {
	t.Parallel()
	c := at(requested)
	open := c.Open()
	require.Equal(t, consultation.Participant{Role: consultation.RolePatient, FirstName: "Zoë"}, open.Patient)
	require.Equal(t, "Rücken", open.Topic)
	require.Equal(t, c.ID, open.ID)
	require.Equal(t, at(requested), c, "Open has changed its receiver")
}
