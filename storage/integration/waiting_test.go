package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/integration/pgtest"
	"github.com/murph-chat/murph/storage/storagetest"
)

// waiters returns once so many connections of that name wait for a lock.
func waiters(t *testing.T, watch *sql.DB, name string, n int) {
	t.Helper()
	for {
		var waiting int
		require.NoError(t, watch.QueryRowContext(t.Context(), `
			SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
			WHERE NOT l.granted AND a.application_name = $1`, name).Scan(&waiting))
		if waiting == n {
			return
		}
		_, err := watch.ExecContext(t.Context(), `SELECT pg_sleep(0.002)`)
		require.NoError(t, err)
	}
}

// held is a transaction of the host's that holds the lock on the room's row while something else waits for it.
type held struct {
	*store
	watch *sql.DB
	dsn   string // with the name
	name  string
}

func hold(t *testing.T, d driver) *held {
	t.Helper()
	dsn := pgtest.Schema(t)
	name := fmt.Sprintf("murph-%d", ids.Add(1))
	named := with(t, dsn, "application_name", name)
	h := &held{store: d.openStore(t, named, maxConns), dsn: named, name: name}
	var err error
	h.watch, err = sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.watch.Close()) })
	begin(t, h.store, room)
	return h
}

// during runs first in a transaction, then lets waiting start and come to the lock, and then ends the transaction, with a
// commit unless rollback is set. It returns when waiting has returned.
func (h *held) during(t *testing.T, first func(tx storagetest.Store) error, rollback bool, waiting func()) {
	t.Helper()
	errRollback := errors.New("roll back")
	done := make(chan struct{})
	err := h.inTx(t.Context(), func(tx storagetest.Store) error {
		if err := first(tx); err != nil {
			return err
		}
		go func() {
			defer close(done)
			waiting()
		}()
		waiters(t, h.watch, h.name, 1)
		if rollback {
			return errRollback
		}
		return nil
	})
	if !rollback {
		require.NoError(t, err)
	}
	<-done
}

// TestWaitingForTheLock checks what a call that waits for the lock decides by: the row as it is when it gets the lock.
func TestWaitingForTheLock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		h := hold(t, d)
		change := func(ch consultation.Change) func(tx storagetest.Store) error {
			return func(tx storagetest.Store) error {
				_, err := tx.Change(t.Context(), consultation.ChangeParams{Change: ch})
				return err
			}
		}
		var sent chat.Appended
		var err error
		appending := func(p chat.AppendParams) func() {
			return func() { sent, err = h.Append(t.Context(), p) }
		}

		key := message(room, patient, "key")
		h.during(t, func(tx storagetest.Store) error {
			_, err := tx.Append(t.Context(), key)
			return err
		}, true, appending(message(room, patient, "key")))
		require.NoError(t, err)
		require.False(t, sent.Replayed, "the first was rolled back")
		first := sent.Message

		p := message(room, patient, "key-2")
		h.during(t, func(tx storagetest.Store) error {
			_, err := tx.Append(t.Context(), p)
			return err
		}, false, appending(message(room, patient, "key-2")))
		require.NoError(t, err)
		require.True(t, sent.Replayed)
		require.Equal(t, p.ID, sent.Message.ID)
		require.Equal(t, first.Seq+1, sent.Message.Seq)

		h.during(t, change(reassign(room, other)), false, appending(message(room, student, "")))
		require.ErrorIs(t, err, consultation.ErrNotParticipant, "the student was replaced meanwhile")

		var changed consultation.Changed
		h.during(t, change(reassign(room, student)), false, func() {
			changed, err = h.Change(t.Context(), consultation.ChangeParams{Change: reassign(room, other)})
		})
		require.NoError(t, err)
		require.Equal(t, other, *changed.Consultation.Student)

		third := consultation.Participant{UserID: "student-3", Role: consultation.RoleStudent, FirstName: "Neu", LastName: "Hier"}
		h.during(t, change(reassign(room, third)), false, func() {
			changed, err = h.Change(t.Context(), consultation.ChangeParams{
				Change: consultation.Change{ID: room, By: consultation.Host(), To: consultation.StatusCompleted},
			})
		})
		require.NoError(t, err)
		require.Equal(t, third, *changed.Consultation.Student, "details that are younger than the statement")

		begin(t, h.store, "second")
		h.during(t, change(complete("second")), false, appending(message("second", patient, "")))
		var notActive *consultation.NotActiveError
		require.ErrorAs(t, err, &notActive)
		require.Equal(t, consultation.StatusCompleted, notActive.Status)
		requireLog(t, chat.Page{
			Consultation: consultation.Consultation{Rev: 4}, Messages: history(t.Context(), t, h, room).Messages,
		}, 3)
	})
}

// TestCreatedAfterTheLock lets a send wait for a lock that changes nothing: its time must still be that of the end of the
// wait.
func TestCreatedAfterTheLock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		h := hold(t, d)
		ctx := t.Context()
		tx, err := h.db.BeginTx(ctx, nil)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		_, err = tx.ExecContext(ctx, `SELECT 1 FROM murph_consultations FOR UPDATE`)
		require.NoError(t, err)
		sent := make(chan chat.Message, 1)
		go func() {
			done, err := h.Append(ctx, message(room, patient, ""))
			if err != nil {
				t.Error(err)
			}
			sent <- done.Message
		}()
		waiters(t, h.watch, h.name, 1)
		var before time.Time
		require.NoError(t, h.watch.QueryRowContext(ctx, `SELECT clock_timestamp()`).Scan(&before))
		require.NoError(t, tx.Rollback())
		m := <-sent
		require.False(t, m.CreatedAt.Before(before), "created at %v, the lock was free from %v", m.CreatedAt, before)
	})
}

// TestPatience lets a send wait for a lock for longer than its caller has time. Whatever happens to the lock later, nothing
// may be stored after the caller was told that it was not.
func TestPatience(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		h := hold(t, d)
		kept := send(t, h, room, patient)
		for name, call := range map[string]func(ctx context.Context) error{
			"append": func(ctx context.Context) error {
				_, err := h.Append(ctx, message(room, patient, ""))
				return err
			},
			"append with a key": func(ctx context.Context) error {
				_, err := h.Append(ctx, message(room, patient, "key"))
				return err
			},
			"mark": func(ctx context.Context) error {
				_, err := h.MarkRead(ctx, chat.ReadParams{ConsultationID: room, Reader: patient.UserID, Seq: 3})
				return err
			},
			"create": func(ctx context.Context) error {
				_, err := h.Create(ctx, consultation.CreateParams{ID: "new", Topic: "x", Patient: patient})
				return err
			},
			"change": func(ctx context.Context) error {
				_, err := h.Change(ctx, consultation.ChangeParams{Change: complete(room)})
				return err
			},
		} {
			tx, err := h.db.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			for _, lock := range []string{
				`SELECT 1 FROM murph_consultations FOR UPDATE`,
				`SELECT 1 FROM murph_participants FOR UPDATE`,
				`INSERT INTO murph_consultations (id, status, topic, patient_id, rev, created_at, updated_at, active_at)
				 VALUES ('new', 'REQUESTED', 'x', 'x', 1, now(), now(), now())`,
			} {
				_, err := tx.ExecContext(t.Context(), lock)
				require.NoError(t, err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			require.ErrorIs(t, call(ctx), context.DeadlineExceeded, name)
			cancel()
			require.NoError(t, tx.Rollback())
		}
		waiters(t, h.watch, h.name, 0)
		page := history(t.Context(), t, h, room)
		require.Equal(t, []chat.Message{kept}, page.Messages)
		require.Empty(t, page.Reads)
		require.Equal(t, consultation.StatusInProgress, page.Consultation.Status)
		_, err := h.Consultation(t.Context(), "new", "")
		require.ErrorIs(t, err, consultation.ErrNotFound)
	})
}

// TestMissingDetails deletes the row with the details of a participant. Writes
// of that participant fail at once, with an error that names the row.
func TestMissingDetails(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		s := d.openStore(t, pgtest.Schema(t), 1)
		begin(t, s, room)
		_, err := s.db.Exec(`DELETE FROM murph_participants WHERE user_id = ?`, string(patient.UserID))
		require.NoError(t, err)
		_, err = s.Append(t.Context(), message(room, patient, ""))
		require.ErrorContains(t, err, "murph_participants")
		_, err = s.MarkRead(t.Context(), chat.ReadParams{ConsultationID: room, Reader: patient.UserID, Seq: 1})
		require.ErrorContains(t, err, "murph_participants")
		require.Zero(t, s.Stats().Repeats)
		send(t, s, room, student)
	})
}
