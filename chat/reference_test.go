package chat_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

func TestReferenceEntry(t *testing.T) {
	t.Parallel()
	m, deleted := example(), example()
	deleted.Content, deleted.DeletedAt = "", &then
	c := consultation.Consultation{ID: room, Status: consultation.StatusInProgress, Patient: patient, Student: &student, Rev: 9, AudienceNumber: 3}
	update := consultation.StatusUpdate{ConsultationID: room, Status: consultation.StatusCompleted, Rev: 4}
	to := consultation.Audience{Number: 3, UserIDs: "patient-1 student-1"}
	resync := chat.ResyncRequired(room, 9, to)
	event := func(name string, m chat.Message) realtime.Event {
		ev, err := chat.MessageEvent(name, m, to, "1.2")
		require.NoError(t, err)
		return ev
	}
	for _, tc := range []struct {
		name string
		ref  chat.Reference
		c    *consultation.Consultation
		m    *chat.Message
		want realtime.Event
	}{
		{"a message", chat.Reference{Event: chat.EventNewMessage}, &c, &m, event(chat.EventNewMessage, m)},
		{"an edit", chat.Reference{Event: chat.EventMessageUpdated}, &c, &m, event(chat.EventMessageUpdated, m)},
		{"a message deleted since", chat.Reference{Event: chat.EventNewMessage}, &c, &deleted, event(chat.EventMessageDeleted, deleted)},
		{"an edit deleted since", chat.Reference{Event: chat.EventMessageUpdated}, &c, &deleted, event(chat.EventMessageDeleted, deleted)},
		{"a deletion", chat.Reference{Event: chat.EventMessageDeleted}, &c, &deleted, event(chat.EventMessageDeleted, deleted)},
		{"a message that is gone", chat.Reference{Event: chat.EventNewMessage}, &c, nil, resync},
		{"a status", chat.Reference{Event: consultation.EventStatusUpdate, Status: &update}, &c, nil, consultation.NewStatusUpdate(update, to, "1.2")},
		{"a status without its payload", chat.Reference{Event: consultation.EventStatusUpdate}, &c, nil, resync},
		{"an assignment", chat.Reference{Event: consultation.EventConsultationUpdated}, &c, nil, consultation.NewConsultationUpdated(c, 4, "1.2")},
		{"a resync", chat.Reference{Event: chat.EventResyncRequired}, &c, nil, resync},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ref := tc.ref
			ref.ConsultationID, ref.Rev, ref.Except = room, 4, "1.2"
			entry, err := ref.Entry(7, 2, time.Minute, tc.c, tc.m)
			require.NoError(t, err)
			require.Equal(t, realtime.Entry{
				ID: 7, Event: tc.want, Resync: resync, ResyncRev: 9, Attempts: 2, Age: time.Minute,
			}, entry)
			require.NoError(t, entry.Event.Validate())
		})
	}
}

func TestReferenceEntryOfLeftChannels(t *testing.T) {
	t.Parallel()
	c := consultation.Consultation{ID: room, Patient: patient, Student: &student, Rev: 9, AudienceNumber: 3}
	ref := chat.Reference{Event: consultation.ReferenceLeft, ConsultationID: room, Rev: 4}
	entry, err := ref.Entry(7, 1, 0, &c, nil)
	require.NoError(t, err)
	require.Equal(t, consultation.Left(room, 3), entry.Left)
	require.Equal(t, chat.ResyncRequired(room, 9, c.Audience()), entry.Resync)
}

// Nothing is left but the reference: the entry is told by a resync up to its own rev.
func TestReferenceEntryOfWhatIsGone(t *testing.T) {
	t.Parallel()
	resync := chat.ResyncRequired(room, 4, consultation.Audience{})
	for _, name := range []string{chat.EventNewMessage, consultation.EventConsultationUpdated} {
		entry, err := chat.Reference{Event: name, ConsultationID: room, Rev: 4}.Entry(7, 1, 0, nil, nil)
		require.NoError(t, err)
		require.Equal(t, realtime.Entry{ID: 7, Event: resync, Resync: resync, ResyncRev: 4, Attempts: 1}, entry)
	}
	// A consultation that is behind its outbox, as after a restored backup, does not hold the resync back.
	behind := consultation.Consultation{ID: room, Rev: 2}
	entry, err := chat.Reference{Event: chat.EventNewMessage, ConsultationID: room, Rev: 4}.Entry(7, 1, 0, &behind, nil)
	require.NoError(t, err)
	require.EqualValues(t, 4, entry.ResyncRev)
}

func TestReferenceToAnUnknownEvent(t *testing.T) {
	t.Parallel()
	_, err := chat.Reference{Event: "other", ConsultationID: room}.Entry(7, 1, 0, nil, nil)
	require.ErrorContains(t, err, "other")
}
