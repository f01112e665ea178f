package memstore_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/memstore"
)

func TestStats(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	paula := consultation.Participant{UserID: "paula", Role: consultation.RolePatient}
	stefan := consultation.Participant{UserID: "stefan", Role: consultation.RoleStudent}
	_, err := store.Create(t.Context(), consultation.CreateParams{ID: "room", Topic: "x", Patient: paula})
	require.NoError(t, err)
	_, err = store.Change(t.Context(), consultation.ChangeParams{Change: consultation.Change{
		ID: "room", By: consultation.Person(stefan), To: consultation.StatusInProgress, Student: &stefan,
	}})
	require.NoError(t, err)
	message := chat.AppendParams{
		ID: "m", ConsultationID: "room", SenderID: "paula", Content: "x", ClientMessageID: "k", Enqueue: &realtime.Enqueue{},
	}
	errUndone := errors.New("undone")
	require.ErrorIs(t, store.InTx(t.Context(), func(tx *memstore.Store) error {
		_, err := tx.Append(t.Context(), message)
		require.NoError(t, err)
		require.Equal(t, memstore.Stats{Consultations: 1}, tx.Stats())
		return errUndone
	}), errUndone)
	_, err = store.Append(t.Context(), message)
	require.NoError(t, err)
	require.Equal(t, memstore.Stats{Consultations: 1, Messages: 1, Entries: 1}, store.Stats())
}
