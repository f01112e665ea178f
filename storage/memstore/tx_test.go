package memstore_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/memstore"
)

var (
	patient = consultation.Participant{UserID: "patient-1", Role: consultation.RolePatient, FirstName: "Zoë"}
	student = consultation.Participant{UserID: "student-1", Role: consultation.RoleStudent, FirstName: "Jürgen"}
)

// setup makes a store with a consultation in progress, at rev 2.
func setup(t *testing.T) *memstore.Store {
	t.Helper()
	s := memstore.New()
	_, err := s.Create(t.Context(), consultation.CreateParams{ID: "room", Topic: "x", Patient: patient})
	require.NoError(t, err)
	accept := consultation.Change{ID: "room", By: consultation.Person(student), To: consultation.StatusInProgress, Student: &student}
	_, err = s.Change(t.Context(), consultation.ChangeParams{Change: accept})
	require.NoError(t, err)
	return s
}

func message(id chat.MessageID) chat.AppendParams {
	return chat.AppendParams{
		ID: id, ConsultationID: "room", SenderID: patient.UserID, Content: "hello", Enqueue: &realtime.Enqueue{},
	}
}

func TestTxCannotNest(t *testing.T) {
	t.Parallel()
	s := setup(t)
	err := s.InTx(t.Context(), func(tx *memstore.Store) error {
		return tx.InTx(t.Context(), func(*memstore.Store) error { return nil })
	})
	require.ErrorContains(t, err, "cannot start another one")
}

func TestTxEndsWithItsFunction(t *testing.T) {
	t.Parallel()
	s := setup(t)
	var kept *memstore.Store
	require.NoError(t, s.InTx(t.Context(), func(tx *memstore.Store) error {
		kept = tx
		return nil
	}))
	_, err := kept.Append(t.Context(), message("m-1"))
	require.ErrorContains(t, err, "has ended")
	_, err = kept.Consultation(t.Context(), "room", "")
	require.ErrorContains(t, err, "has ended")
}

func TestTxRollsBackOnPanic(t *testing.T) {
	t.Parallel()
	s := setup(t)
	require.PanicsWithValue(t, "boom", func() {
		_ = s.InTx(t.Context(), func(tx *memstore.Store) error {
			_, err := tx.Append(t.Context(), message("m-1"))
			require.NoError(t, err)
			panic("boom")
		})
	})
	done, err := s.Append(t.Context(), message("m-1"))
	require.NoError(t, err, "the id and the writer must be free again")
	require.EqualValues(t, 3, done.Message.Seq)
}

func TestTxRollsBackWhenTheContextEnds(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.InTx(ctx, func(tx *memstore.Store) error {
		_, err := tx.Append(ctx, message("m-1"))
		cancel()
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, s.InTx(ctx, func(*memstore.Store) error { return nil }), context.Canceled)
	c, err := s.Consultation(t.Context(), "room", "")
	require.NoError(t, err)
	require.EqualValues(t, 2, c.Rev)
}

func TestTxDoesNotReuseEntryIDs(t *testing.T) {
	t.Parallel()
	s := setup(t)
	rollback := errors.New("roll back")
	var lost chat.Appended
	err := s.InTx(t.Context(), func(tx *memstore.Store) (err error) {
		lost, err = tx.Append(t.Context(), message("m-1"))
		return errors.Join(err, rollback)
	})
	require.ErrorIs(t, err, rollback)
	done, err := s.Append(t.Context(), message("m-1"))
	require.NoError(t, err)
	require.Greater(t, done.Entry, lost.Entry)
}

// The services' own ways into a transaction, over the store that is made for them.
func TestServicesInATx(t *testing.T) {
	t.Parallel()
	s := setup(t)
	messages, err := chat.NewService(s, outboxBroadcaster{}, nil)
	require.NoError(t, err)
	consultations, err := consultation.NewService(s, outboxBroadcaster{}, nil)
	require.NoError(t, err)
	run := func(result error) error {
		return s.InTx(t.Context(), func(tx *memstore.Store) error {
			send := chat.SendParams{ConsultationID: "room", SenderID: patient.UserID, Content: "hello", Except: "1.2"}
			if _, err := messages.SendTx(t.Context(), tx, send); err != nil {
				return err
			}
			end := consultation.TransitionParams{ID: "room", By: consultation.Person(student)}
			if _, err := consultations.TransitionTx(t.Context(), tx, consultation.StatusCompleted, end); err != nil {
				return err
			}
			return result
		})
	}
	rollback := errors.New("roll back")
	require.ErrorIs(t, run(rollback), rollback)
	backlog, err := s.Backlog(t.Context())
	require.NoError(t, err)
	require.Zero(t, backlog.Pending)

	require.NoError(t, run(nil))
	entries, err := s.Claim(t.Context(), realtime.ClaimParams{Limit: 10})
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.Equal(t, chat.EventNewMessage, entries[0].Event.Name)
	require.EqualValues(t, "1.2", entries[0].Event.Except)
	require.Equal(t, consultation.EventStatusUpdate, entries[1].Event.Name)
}
