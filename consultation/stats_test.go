package consultation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
)

func TestStatsCountWhatWasStored(t *testing.T) {
	t.Parallel()
	b := setup(t, consultation.Options{})
	for _, id := range []consultation.ID{"one", "two"} {
		_, err := b.Request(t.Context(), consultation.RequestParams{ID: id, Topic: "x", Patient: patient})
		require.NoError(t, err)
	}
	_, err := b.Request(t.Context(), consultation.RequestParams{ID: "one", Topic: "x", Patient: patient})
	require.ErrorIs(t, err, consultation.ErrExists)

	_, err = b.Accept(t.Context(), by("one", student))
	require.NoError(t, err)
	_, err = b.Accept(t.Context(), by("one", patient))
	require.ErrorIs(t, err, consultation.ErrForbidden)
	other := student
	other.UserID = "student-2"
	_, err = b.Reassign(t.Context(), byHost("one", &other))
	require.NoError(t, err)
	_, err = b.Complete(t.Context(), by("one", other))
	require.NoError(t, err)
	_, err = b.Cancel(t.Context(), by("two", patient))
	require.NoError(t, err)
	require.Equal(t, consultation.Stats{Requested: 2, Accepted: 1, Completed: 1, Cancelled: 1, Reassigned: 1}, b.Stats())
}
