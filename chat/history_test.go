package chat_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{WriteRate: chat.Rate{PerSecond: -1}})
	for i := range chat.MaxPageSize + 1 {
		b.say(t, patient, fmt.Sprint(i))
	}
	read := func(before int64, limit int) chat.Page {
		t.Helper()
		b.forget()
		p := chat.HistoryParams{ConsultationID: room, Viewer: student.UserID, Before: before, Limit: limit}
		page, err := b.History(t.Context(), p)
		require.NoError(t, err)
		require.Equal(t, []string{"History"}, b.counted.calls)
		return page
	}
	page := read(0, 0)
	require.Len(t, page.Messages, chat.DefaultPageSize)
	require.True(t, page.HasMore)
	require.Equal(t, "200", page.Messages[49].Content)
	require.Len(t, read(0, chat.MaxPageSize).Messages, chat.MaxPageSize)
	page = read(5, 50)
	require.Len(t, page.Messages, 2)
	require.False(t, page.HasMore)
	_, err := b.History(t.Context(), chat.HistoryParams{ConsultationID: room, Viewer: stranger.UserID})
	require.ErrorIs(t, err, consultation.ErrNotFound)
}

func TestChanges(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{MaxCatchUp: 60})
	for i := range 70 {
		b.say(t, patient, fmt.Sprint(i))
	}
	read := func(since int64, limit int) chat.Changes {
		t.Helper()
		b.forget()
		p := chat.ChangesParams{ConsultationID: room, Viewer: student.UserID, Since: since, Limit: limit, MaxBehind: 1_000}
		changes, err := b.Changes(t.Context(), p)
		require.NoError(t, err)
		require.Equal(t, []string{"Changes"}, b.counted.calls)
		return changes
	}
	changes := read(12, 0)
	require.False(t, changes.Reset)
	require.Len(t, changes.Messages, chat.DefaultPageSize)
	require.True(t, changes.HasMore)
	require.EqualValues(t, 62, changes.NextSince)
	require.True(t, read(11, 0).Reset, "the limit is the service's, whatever the caller says")
	require.True(t, read(73, 0).Reset)
	require.Empty(t, read(72, 10).Messages)
	_, err := b.Changes(t.Context(), chat.ChangesParams{ConsultationID: room, Viewer: stranger.UserID})
	require.ErrorIs(t, err, consultation.ErrNotFound)
}

func TestDefaultCatchUp(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{WriteRate: chat.Rate{PerSecond: -1}})
	for i := range chat.DefaultMaxCatchUp {
		b.say(t, patient, fmt.Sprint(i))
	}
	for since, reset := range map[int64]bool{1: true, 2: false} {
		changes, err := b.Changes(t.Context(), chat.ChangesParams{ConsultationID: room, Viewer: student.UserID, Since: since})
		require.NoError(t, err)
		require.Equal(t, reset, changes.Reset, since)
	}
}

func TestReadInput(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	for _, c := range []struct {
		field  string
		id     consultation.ID
		viewer consultation.UserID
		limit  int
		cursor int64
	}{
		{"consultationId", "", patient.UserID, 0, 0},
		{"consultationId", "a..b", patient.UserID, 0, 0},
		{"userId", room, "", 0, 0},
		{"userId", room, "ä", 0, 0},
		{"limit", room, patient.UserID, -1, 0},
		{"limit", room, patient.UserID, chat.MaxPageSize + 1, 0},
		{"cursor", room, patient.UserID, 0, -1},
	} {
		_, err := b.History(t.Context(), chat.HistoryParams{ConsultationID: c.id, Viewer: c.viewer, Limit: c.limit, Before: c.cursor})
		invalid(t, err, map[bool]string{true: "before", false: c.field}[c.field == "cursor"])
		_, err = b.Changes(t.Context(), chat.ChangesParams{ConsultationID: c.id, Viewer: c.viewer, Limit: c.limit, Since: c.cursor})
		invalid(t, err, map[bool]string{true: "since", false: c.field}[c.field == "cursor"])
		_, err = b.MarkRead(t.Context(), chat.ReadParams{ConsultationID: c.id, Reader: c.viewer, Seq: c.cursor})
		if c.field == "limit" {
			require.NoError(t, err)
			continue
		}
		invalid(t, err, map[bool]string{true: "seq", false: c.field}[c.field == "cursor"])
	}
	require.Equal(t, []string{"MarkRead", "MarkRead"}, b.counted.calls, "bad input has reached the store")
}

func TestInbox(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	m := b.say(t, patient, "hello")
	_, err := b.store.Create(t.Context(), consultation.CreateParams{ID: "foreign", Topic: "x", Patient: patient})
	require.NoError(t, err)
	own := student
	own.UserID, own.Role = "both", consultation.RoleStudent
	_, err = b.store.Create(t.Context(), consultation.CreateParams{ID: "own", Topic: "y", Patient: own})
	require.NoError(t, err)

	page, err := b.Inbox(t.Context(), student, chat.InboxParams{Viewer: "somebody else"})
	require.NoError(t, err)
	require.Equal(t, []string{"Inbox"}, b.counted.calls)
	require.Len(t, page.Items, 1, "the viewer is who asks, whatever the params say")
	require.Equal(t, 1, page.Items[0].Unread)
	require.Equal(t, &m, page.Items[0].Last)
	require.Equal(t, patient, page.Items[0].Consultation.Patient)

	open, err := b.Inbox(t.Context(), own, chat.InboxParams{OpenRequests: true})
	require.NoError(t, err)
	got := map[consultation.ID]consultation.Participant{}
	for _, item := range open.Items {
		got[item.Consultation.ID] = item.Consultation.Patient
	}
	require.Equal(t, map[consultation.ID]consultation.Participant{
		"foreign": {Role: consultation.RolePatient, FirstName: "Zoë"},
		"own":     own,
	}, got, "of other people's requests only the first name is shown")
}

func TestInboxInput(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	for _, c := range []struct {
		field  string
		viewer consultation.Participant
		p      chat.InboxParams
	}{
		{"userId", consultation.Participant{Role: consultation.RoleStudent}, chat.InboxParams{}},
		{"role", consultation.Participant{UserID: "x"}, chat.InboxParams{}},
		{"status", patient, chat.InboxParams{Status: "OPEN"}},
		{"limit", patient, chat.InboxParams{Limit: -1}},
		{"limit", patient, chat.InboxParams{Limit: chat.MaxPageSize + 1}},
	} {
		_, err := b.Inbox(t.Context(), c.viewer, c.p)
		invalid(t, err, c.field)
	}
	_, err := b.Inbox(t.Context(), patient, chat.InboxParams{OpenRequests: true})
	require.ErrorIs(t, err, consultation.ErrForbidden)
	require.Empty(t, b.counted.calls)
	for i := range chat.DefaultPageSize + 1 {
		id := consultation.ID(fmt.Sprintf("room-%d", i))
		_, err := b.store.Create(t.Context(), consultation.CreateParams{ID: id, Topic: "x", Patient: patient})
		require.NoError(t, err)
	}
	page, err := b.Inbox(t.Context(), patient, chat.InboxParams{Status: consultation.StatusRequested})
	require.NoError(t, err)
	require.Len(t, page.Items, chat.DefaultPageSize)
	require.True(t, page.HasMore)
}
