package consultation_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
)

const (
	requested  = consultation.StatusRequested
	inProgress = consultation.StatusInProgress
	completed  = consultation.StatusCompleted
	cancelled  = consultation.StatusCancelled
)

var statuses = []consultation.Status{requested, inProgress, completed, cancelled}

func TestStatus(t *testing.T) {
	t.Parallel()
	ways := map[consultation.Status][]consultation.Status{
		requested:  {inProgress, cancelled},
		inProgress: {completed, cancelled},
		completed:  {},
		cancelled:  {},
	}
	others := []consultation.Status{"", "requested", "OPEN"}
	for _, from := range statuses {
		require.True(t, from.Valid(), from)
		require.Equal(t, len(ways[from]) == 0, from.Final(), from)
		for _, to := range append(others, statuses...) {
			require.Equal(t, slices.Contains(ways[from], to), from.CanBecome(to), "%s to %s", from, to)
		}
	}
	for _, s := range others {
		require.False(t, s.Valid(), s)
		require.False(t, s.Final(), s)
		for _, to := range statuses {
			require.False(t, s.CanBecome(to), "%s to %s", s, to)
		}
	}
}
