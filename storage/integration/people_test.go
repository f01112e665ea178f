package integration_test

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// The people of the tests.
var (
	patient = consultation.Participant{UserID: "patient-1", Role: consultation.RolePatient, FirstName: "Zoë", LastName: "Müller"}
	student = consultation.Participant{UserID: "student-1", Role: consultation.RoleStudent, FirstName: "Jürgen", LastName: "Groß"}
	other   = consultation.Participant{UserID: "student-2", Role: consultation.RoleStudent, FirstName: "Anaïs", LastName: "Núñez"}
)

// room is the consultation that a test is about unless it needs more of them.
const room = consultation.ID("room")

// begin stores a consultation that is IN_PROGRESS between the patient and the student, at rev 2.
func begin(tb testing.TB, s consultation.Storage, id consultation.ID) {
	tb.Helper()
	_, err := s.Create(tb.Context(), consultation.CreateParams{ID: id, Topic: "Rückenschmerzen", Patient: patient})
	require.NoError(tb, err)
	_, err = s.Change(tb.Context(), consultation.ChangeParams{Change: accept(id)})
	require.NoError(tb, err)
}

func accept(id consultation.ID) consultation.Change {
	return consultation.Change{
		ID: id, By: consultation.Person(student), To: consultation.StatusInProgress, Student: &student,
	}
}

func complete(id consultation.ID) consultation.Change {
	return consultation.Change{ID: id, By: consultation.Person(student), To: consultation.StatusCompleted}
}

func reassign(id consultation.ID, to consultation.Participant) consultation.Change {
	return consultation.Change{ID: id, By: consultation.Host(), Student: &to}
}

// ids makes every message's id unique within the process.
var ids atomic.Int64

// message describes a new message. An empty key leaves it without one.
func message(id consultation.ID, sender consultation.Participant, key string) chat.AppendParams {
	n := ids.Add(1)
	text := key // a repeat has the same text
	if key == "" {
		text = strconv.FormatInt(int64(n), 10)
	}
	return chat.AppendParams{
		ID: chat.MessageID(fmt.Sprintf("message-%d", n)), ConsultationID: id, SenderID: sender.UserID,
		Content: fmt.Sprintf("Text %s: „Grüße“ $1 ? '", text), ClientMessageID: key, Enqueue: &realtime.Enqueue{},
	}
}

func send(tb testing.TB, s chat.Storage, id consultation.ID, sender consultation.Participant) chat.Message {
	tb.Helper()
	done, err := s.Append(tb.Context(), message(id, sender, ""))
	require.NoError(tb, err)
	return done.Message
}

// history returns all messages of a consultation.
func history(ctx context.Context, tb testing.TB, s chat.Storage, id consultation.ID) chat.Page {
	tb.Helper()
	page, err := s.History(ctx, chat.HistoryParams{ConsultationID: id, Viewer: patient.UserID, Limit: 100_000})
	require.NoError(tb, err)
	return page
}

// requireLog fails the test unless the seqs of the messages go up by one from the first, and the consultation's rev is the
// last of them.
func requireLog(tb testing.TB, page chat.Page, first int64) {
	tb.Helper()
	for i, m := range page.Messages {
		require.Equal(tb, first+int64(i), m.Seq, "seq of message %d", i)
		require.Equal(tb, m.Seq, m.Rev, "rev of message %d", i)
	}
	require.Equal(tb, first+int64(len(page.Messages))-1, page.Consultation.Rev, "rev of the consultation")
}
