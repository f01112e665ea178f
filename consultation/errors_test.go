package consultation_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
)

var isErr = errors.Is

// invalid fails the test unless err is an InvalidError about the field.
func invalid(t *testing.T, err error, field string) {
	t.Helper()
	var is *consultation.InvalidError
	require.ErrorAs(t, err, &is)
	require.Equal(t, field, is.Field)
	require.NotEmpty(t, is.Reason)
	require.Contains(t, err.Error(), field)
}

func TestErrors(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, consultation.ErrNotParticipant, consultation.ErrNotFound)
	require.NotErrorIs(t, consultation.ErrNotFound, consultation.ErrNotParticipant)

	notActive := fmt.Errorf("wrapped: %w", &consultation.NotActiveError{Status: completed})
	require.ErrorIs(t, notActive, consultation.ErrNotActive)
	require.NotErrorIs(t, notActive, consultation.ErrConflict)
	require.Contains(t, notActive.Error(), "COMPLETED")

	conflict := fmt.Errorf("wrapped: %w", &consultation.ConflictError{Status: inProgress})
	require.ErrorIs(t, conflict, consultation.ErrConflict)
	require.NotErrorIs(t, conflict, consultation.ErrNotActive)
	require.Contains(t, conflict.Error(), "IN_PROGRESS")

	_, err := consultation.ParseID("a b")
	require.ErrorIs(t, fmt.Errorf("wrapped: %w", err), consultation.ErrInvalid)
	require.NotErrorIs(t, err, consultation.ErrConflict)
	require.NotErrorIs(t, conflict, consultation.ErrInvalid)
}
