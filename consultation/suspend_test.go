package consultation_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/memstore"
)

func TestSuspend(t *testing.T) {
	t.Parallel()
	to, store := &revoking{}, memstore.New()
	svc, err := consultation.NewService(store, to, nil)
	require.NoError(t, err)
	make := func(id consultation.ID, accept bool) {
		_, err := svc.Request(t.Context(), consultation.RequestParams{ID: id, Topic: "x", Patient: patient})
		require.NoError(t, err)
		if accept {
			_, err = svc.Accept(t.Context(), by(id, student))
			require.NoError(t, err)
		}
	}
	make("requested", false)
	make("active", true)
	make("completed", true)
	_, err = svc.Complete(t.Context(), by("completed", student))
	require.NoError(t, err)
	to.reset()

	require.NoError(t, svc.Suspend(t.Context(), student.UserID))
	require.Equal(t, []string{string(student.UserID)}, to.terminated)
	require.Equal(t, []string{"consultation-updated private-consultation.2-active", "resync-required private-consultation-active"},
		namesAndChannels(to.events))
	audiences := func() (all []int) {
		for _, id := range []consultation.ID{"requested", "active", "completed"} {
			c, err := store.Consultation(t.Context(), id, "")
			require.NoError(t, err)
			all = append(all, c.AudienceNumber)
		}
		return all
	}
	require.Equal(t, []int{1, 2, 1}, audiences())

	require.NoError(t, svc.Suspend(t.Context(), patient.UserID))
	require.Equal(t, []int{2, 3, 1}, audiences())

	_, err = consultation.ParseUserID("")
	require.Equal(t, err, svc.Suspend(t.Context(), ""))
	to.err = errors.New("not confirmed")
	require.ErrorIs(t, svc.Suspend(t.Context(), "unknown"), to.err)
}

// accepting is a store in which a request of the user that was under way is stored while they are suspended.
type accepting struct {
	*memstore.Store
	late func()
}

func (s *accepting) Open(ctx context.Context, user consultation.UserID) ([]consultation.ID, error) {
	ids, err := s.Store.Open(ctx, user)
	if late := s.late; late != nil {
		s.late = nil
		late()
	}
	return ids, err
}

func TestSuspendFindsRequestsUnderWay(t *testing.T) {
	t.Parallel()
	to, store := &revoking{}, &accepting{Store: memstore.New()}
	svc, err := consultation.NewService(store, to, nil)
	require.NoError(t, err)
	_, err = svc.Request(t.Context(), consultation.RequestParams{ID: "late", Topic: "x", Patient: patient})
	require.NoError(t, err)
	store.late = func() {
		_, err := svc.Accept(t.Context(), by("late", student))
		require.NoError(t, err)
	}
	require.NoError(t, svc.Suspend(t.Context(), student.UserID))
	c, err := store.Consultation(t.Context(), "late", "")
	require.NoError(t, err)
	require.Equal(t, 2, c.AudienceNumber)
	require.Len(t, to.terminated, 2, "the connections were not ended after the last change")
}
