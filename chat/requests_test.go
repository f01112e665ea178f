package chat_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// requests stores n open requests and returns their ids, the newest first.
func (b bundle) requests(t *testing.T, n int) []consultation.ID {
	t.Helper()
	var ids []consultation.ID
	for i := range n {
		id := consultation.ID(fmt.Sprintf("request-%04d", i))
		_, err := b.store.Create(t.Context(), consultation.CreateParams{ID: id, Topic: "Knie", Patient: patient})
		require.NoError(t, err)
		ids = append(ids, id)
	}
	page, err := b.store.Inbox(t.Context(), chat.InboxParams{Viewer: student.UserID, OpenRequests: true, Limit: n})
	require.NoError(t, err)
	for i, item := range page.Items {
		ids[i] = item.Consultation.ID
	}
	return ids
}

func TestOpenRequests(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	all := b.requests(t, 30)
	hidden := map[consultation.ID]bool{all[0]: true, all[3]: true, all[4]: true, all[5]: true, all[29]: true}
	var want []consultation.ID
	for _, id := range all {
		if !hidden[id] {
			want = append(want, id)
		}
	}
	for _, limit := range []int{1, 2, 3, 7, 25, 26, 50} {
		var got, asked []consultation.ID
		var next chat.InboxCursor
		for pages := 0; ; pages++ {
			require.Less(t, pages, 40)
			page, after, err := b.OpenRequests(t.Context(), student, chat.InboxParams{Limit: limit, After: next},
				func(_ context.Context, id consultation.ID) (bool, error) {
					asked = append(asked, id)
					return !hidden[id], nil
				})
			require.NoError(t, err)
			require.Equal(t, page.HasMore, !after.IsZero())
			for _, item := range page.Items {
				got = append(got, item.Consultation.ID)
				require.Empty(t, item.Consultation.Patient.UserID)
			}
			if !page.HasMore {
				break
			}
			require.Len(t, page.Items, limit, "a page is filled")
			next = after
		}
		require.Equal(t, want, got, limit)
		require.Equal(t, all, asked, "the policy is asked once for each")
	}
}

func TestOpenRequestsAllHidden(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	all := b.requests(t, 1000)
	asked := 0
	none := func(context.Context, consultation.ID) (bool, error) { asked++; return false, nil }
	b.forget()
	page, next, err := b.OpenRequests(t.Context(), student, chat.InboxParams{Limit: 10}, none)
	require.NoError(t, err)
	require.Empty(t, page.Items)
	require.True(t, page.HasMore)
	require.Equal(t, 10+4*chat.MaxPageSize, asked, "the work of one call is bounded")
	require.Len(t, b.counted.calls, 5)
	page, next, err = b.OpenRequests(t.Context(), student, chat.InboxParams{Limit: 10, After: next}, none)
	require.NoError(t, err)
	require.False(t, page.HasMore)
	require.True(t, next.IsZero())
	require.Equal(t, len(all), asked)
}

func TestOpenRequestsFails(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	all := b.requests(t, 3)
	down := errors.New("the policy's database is down")
	_, _, err := b.OpenRequests(t.Context(), student, chat.InboxParams{}, func(context.Context, consultation.ID) (bool, error) { return true, down })
	require.ErrorIs(t, err, down)
	_, _, err = b.OpenRequests(t.Context(), patient, chat.InboxParams{}, nil)
	require.ErrorIs(t, err, consultation.ErrForbidden)
	_, _, err = b.OpenRequests(t.Context(), student, chat.InboxParams{Limit: -1}, nil)
	invalid(t, err, "limit")
	page, next, err := b.OpenRequests(t.Context(), student, chat.InboxParams{}, nil)
	require.NoError(t, err)
	require.True(t, next.IsZero())
	require.Equal(t, len(all), len(page.Items))
	require.True(t, slices.IsSortedFunc(page.Items, func(a, b chat.InboxItem) int { return b.Cursor.Activity.Compare(a.Cursor.Activity) }))
}
