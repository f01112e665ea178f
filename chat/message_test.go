package chat_test

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

var then = time.Date(2026, 3, 1, 10, 0, 0, 120000000, time.FixedZone("CET", 3600))

// example is a message with every field that a message can have before it is edited.
func example() chat.Message {
	return chat.Message{
		ID: "m-1", ConsultationID: room, SenderID: patient.UserID, Content: `Grüße <b>&"`, CreatedAt: then,
		Sender: patient, Seq: 3, Rev: 3, ClientMessageID: "key-1",
	}
}

// The first six fields are what the front ends that exist read; they stay as they are.
const golden = `{"id":"m-1","consultationId":"room","senderId":"patient-1","content":"Grüße \u003cb\u003e\u0026\"",` +
	`"sender":{"id":"patient-1","role":"PATIENT","firstName":"Zoë","lastName":"Müller","image":"https://example.org/zoe.png"},` +
	`"seq":3,"rev":3,"clientMessageId":"key-1","createdAt":"2026-03-01T09:00:00.120000Z"}`

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func TestMessageJSON(t *testing.T) {
	t.Parallel()
	m := example()
	require.JSONEq(t, golden, encode(t, m))
	require.Equal(t, encode(t, m), encode(t, &m))

	m.ClientMessageID, m.Sender.Image, m.Rev = "", "", 9
	edited, deleted := then.Add(time.Minute), then.Add(time.Hour)
	m.EditedAt = &edited
	require.JSONEq(t, `{"id":"m-1","consultationId":"room","senderId":"patient-1","content":"Grüße <b>&\"",`+
		`"createdAt":"2026-03-01T09:00:00.120000Z","editedAt":"2026-03-01T09:01:00.120000Z",`+
		`"sender":{"id":"patient-1","role":"PATIENT","firstName":"Zoë","lastName":"Müller"},"seq":3,"rev":9}`, encode(t, m))
	m.Content, m.DeletedAt = "", &deleted
	require.True(t, m.Deleted())
	require.JSONEq(t, `{"id":"m-1","consultationId":"room","senderId":"patient-1","content":"",`+
		`"createdAt":"2026-03-01T09:00:00.120000Z","editedAt":"2026-03-01T09:01:00.120000Z","deletedAt":"2026-03-01T10:00:00.120000Z",`+
		`"sender":{"id":"patient-1","role":"PATIENT","firstName":"Zoë","lastName":"Müller"},"seq":3,"rev":9}`, encode(t, m))

	var back chat.Message
	require.NoError(t, json.Unmarshal([]byte(encode(t, m)), &back))
	require.Equal(t, encode(t, m), encode(t, back), "the JSON form can be read again")
}

func TestReadMarkJSON(t *testing.T) {
	t.Parallel()
	reads := map[consultation.UserID]chat.ReadMark{"student-1": {Seq: 3, At: then}}
	require.Equal(t, `{"student-1":{"seq":3,"at":"2026-03-01T09:00:00.120000Z"}}`, encode(t, reads))
}

func TestMessageLog(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "message", example())
	require.Contains(t, log.String(), "message.id=m-1 message.consultation_id=room message.seq=3 message.rev=3 message.bytes=13")
	for _, secret := range []string{"Gr", "Zoë", "key-1"} {
		require.NotContains(t, log.String(), secret)
	}
}
