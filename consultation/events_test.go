package consultation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
)

var berlin = time.FixedZone("CET", 3600)

func TestFormatTime(t *testing.T) {
	t.Parallel()
	require.Equal(t, "2026-03-01T10:00:00.123456Z", consultation.FormatTime(then))
	require.Equal(t, "2026-03-01T10:00:00.123456Z", consultation.FormatTime(then.In(berlin)))
	require.Equal(t, "2026-03-01T10:00:00.000000Z", consultation.FormatTime(then.Truncate(time.Second)))
}

func TestStatusUpdateEvent(t *testing.T) {
	t.Parallel()
	u := consultation.StatusUpdate{
		ConsultationID: "room", Status: completed, PreviousStatus: inProgress, Rev: 8, By: "student-1", At: consultation.FormatTime(now),
	}
	ev := consultation.NewStatusUpdate(u, consultation.Audience{Number: 3, UserIDs: "a b"}, "1.2")
	require.NoError(t, ev.Validate())
	require.EqualValues(t, "private-consultation.3-room", ev.Channel)
	require.Equal(t, "a b #3", ev.Audience)
	require.Equal(t, "status-update", ev.Name)
	require.EqualValues(t, "1.2", ev.Except)
	require.Nil(t, ev.Thin, "it is free of content already")
	require.Equal(t, `{"consultationId":"room","status":"COMPLETED","previousStatus":"IN_PROGRESS","rev":8,"by":"student-1",`+
		`"at":"2026-03-01T10:01:00.123456Z"}`, string(ev.Data))
	u.By = ""
	require.NotContains(t, string(consultation.NewStatusUpdate(u, consultation.Audience{}, "").Data), `"by"`)
}

func TestConsultationUpdatedEvent(t *testing.T) {
	t.Parallel()
	ev := consultation.NewConsultationUpdated(at(inProgress), 5, "1.2")
	require.NoError(t, ev.Validate())
	require.EqualValues(t, "private-consultation-room", ev.Channel)
	require.Equal(t, "consultation-updated", ev.Name)
	require.EqualValues(t, "1.2", ev.Except)
	require.Equal(t, `{"consultationId":"room",`+
		`"student":{"id":"student-1","role":"STUDENT","firstName":"Jürgen","lastName":"Test","image":"https://example.org/student-1"},`+
		`"rev":5}`, string(ev.Data))
	require.Equal(t, `{"consultationId":"room","rev":5,"thin":true}`, string(ev.Thin))
}
