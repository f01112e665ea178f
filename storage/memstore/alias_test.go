package memstore_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// outboxBroadcaster is a relay that never takes anything.
type outboxBroadcaster struct{ realtime.BroadcasterFunc }

func (outboxBroadcaster) HandOff(int64, realtime.Event) {}
func (outboxBroadcaster) Lease() time.Duration          { return 5 * time.Second }

// What the caller does to what it got, and to what it gave, stays without effect.
func TestNothingIsShared(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	newStudent := consultation.Participant{UserID: "student-2", Role: consultation.RoleStudent, FirstName: "Anaïs"}
	done, err := s.Change(ctx, consultation.ChangeParams{
		Change:  consultation.Change{ID: "room", By: consultation.Host(), Student: &newStudent},
		Enqueue: &realtime.Enqueue{},
	})
	require.NoError(t, err)
	newStudent.FirstName = "spoilt"
	done.Consultation.Student.FirstName = "spoilt"

	_, err = s.Append(ctx, message("m-1"))
	require.NoError(t, err)
	edited, err := s.Edit(ctx, chat.EditParams{ID: "m-1", By: patient.UserID, Content: "edited", Window: -1})
	require.NoError(t, err)
	*edited.Message.EditedAt = time.Time{}
	deleted, err := s.Delete(ctx, chat.DeleteParams{ID: "m-1", By: patient.UserID, Window: -1})
	require.NoError(t, err)
	*deleted.Message.EditedAt, *deleted.Message.DeletedAt = time.Time{}, time.Time{}
	_, err = s.MarkRead(ctx, chat.ReadParams{ConsultationID: "room", Reader: patient.UserID, Seq: 3})
	require.NoError(t, err)

	read := func() chat.Page {
		page, err := s.History(ctx, chat.HistoryParams{ConsultationID: "room", Viewer: patient.UserID, Limit: 10})
		require.NoError(t, err)
		return page
	}
	spoil := func(page chat.Page) {
		page.Consultation.Student.FirstName = "spoilt"
		page.Reads[patient.UserID] = chat.ReadMark{Seq: 1000}
		*page.Messages[0].EditedAt, *page.Messages[0].DeletedAt = time.Time{}, time.Time{}
		page.Messages[0].Content = "spoilt"
	}
	spoil(read())
	changes, err := s.Changes(ctx, chat.ChangesParams{ConsultationID: "room", Viewer: patient.UserID, Limit: 10, MaxBehind: 100})
	require.NoError(t, err)
	spoil(changes.Page)
	inbox, err := s.Inbox(ctx, chat.InboxParams{Viewer: patient.UserID, Limit: 10})
	require.NoError(t, err)
	inbox.Items[0].Consultation.Student.FirstName = "spoilt"
	*inbox.Items[0].Last.DeletedAt = time.Time{}
	one, err := s.Consultation(ctx, "room", "")
	require.NoError(t, err)
	one.Student.FirstName = "spoilt"

	page := read()
	require.Equal(t, "Anaïs", page.Consultation.Student.FirstName)
	require.EqualValues(t, 3, page.Reads[patient.UserID].Seq)
	require.Empty(t, page.Messages[0].Content)
	require.False(t, page.Messages[0].EditedAt.IsZero())
	require.False(t, page.Messages[0].DeletedAt.IsZero())

	end := consultation.Change{ID: "room", By: consultation.Host(), To: consultation.StatusCompleted}
	ended, err := s.Change(ctx, consultation.ChangeParams{Change: end, Enqueue: &realtime.Enqueue{}})
	require.NoError(t, err)
	ended.Announcement.Status.Status = "spoilt"
	entries, err := s.Claim(ctx, realtime.ClaimParams{Limit: 10, Lease: time.Hour})
	require.NoError(t, err)
	for _, e := range entries {
		require.NotContains(t, string(e.Event.Data), "spoilt")
	}
}

func TestMessageIDsAreUnique(t *testing.T) {
	t.Parallel()
	s := setup(t)
	_, err := s.Append(t.Context(), message("m-1"))
	require.NoError(t, err)
	_, err = s.Append(t.Context(), message("m-1"))
	require.ErrorContains(t, err, "taken")
	c, err := s.Consultation(t.Context(), "room", "")
	require.NoError(t, err)
	require.EqualValues(t, 3, c.Rev)
}

// In a bubble the store's clock is the bubble's.
func TestTimeInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := setup(t)
		p := message("m-1")
		p.Enqueue = &realtime.Enqueue{Lease: 5 * time.Second}
		done, err := s.Append(t.Context(), p)
		require.NoError(t, err)
		require.Equal(t, time.Now().UTC(), done.Message.CreatedAt)
		claim := func(want int) {
			t.Helper()
			entries, err := s.Claim(t.Context(), realtime.ClaimParams{Limit: 10, Lease: time.Minute})
			require.NoError(t, err)
			require.Len(t, entries, want)
		}
		wait := func(d time.Duration) { <-time.After(d) }
		claim(0)
		wait(5*time.Second - time.Microsecond)
		claim(0)
		wait(time.Microsecond)
		claim(1)
		wait(time.Minute - time.Microsecond)
		claim(0)
		wait(time.Microsecond)
		claim(1)
		backlog, err := s.Backlog(t.Context())
		require.NoError(t, err)
		require.Equal(t, realtime.Backlog{Pending: 1, OldestAge: 65 * time.Second}, backlog)
		edit := func(window time.Duration) error {
			_, err := s.Edit(t.Context(), chat.EditParams{ID: "m-1", By: patient.UserID, Content: window.String(), Window: window})
			return err
		}
		require.ErrorIs(t, edit(65*time.Second-1), chat.ErrWindowClosed)
		require.NoError(t, edit(65*time.Second))
	})
}

// A young entry does not stand in for old ones: it may be acknowledged alone.
func TestPurgeKeepsTheNewestOfTheOldEntries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := setup(t)
		var ids []int64
		for i := range 4 {
			p := message(chat.MessageID(fmt.Sprint("m-", i)))
			p.Enqueue = &realtime.Enqueue{}
			done, err := s.Append(t.Context(), p)
			require.NoError(t, err)
			ids = append(ids, done.Entry)
			if i == 1 {
				<-time.After(2 * time.Hour)
			}
		}
		n, err := s.Purge(t.Context(), realtime.PurgeParams{Pending: time.Hour, Parked: time.Hour})
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		entries, err := s.Claim(t.Context(), realtime.ClaimParams{Limit: 10, Lease: time.Hour})
		require.NoError(t, err)
		var left []int64
		for _, e := range entries {
			left = append(left, e.ID)
		}
		require.Equal(t, ids[1:], left)
	})
}
