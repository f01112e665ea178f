package integration_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/integration/pgtest"
	"github.com/murph-chat/murph/storage/storagetest"
)

// TestRoundTrips counts what each call costs once the connection has seen its statements.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		w := newWire(t, pgtest.Schema(t))
		s := d.openStore(t, w.dsn, 1)
		begin(t, s, room)
		n := 0
		for _, c := range []struct {
			name  string
			trips int64
			call  func(t *testing.T) error
		}{
			{"send", 1, func(t *testing.T) error {
				_, err := s.Append(t.Context(), message(room, patient, ""))
				return err
			}},
			{"send with a key", 1, func(t *testing.T) error {
				p := message(room, patient, "")
				p.ClientMessageID = string(p.ID)
				_, err := s.Append(t.Context(), p)
				return err
			}},
			{"repeat", 1, func(t *testing.T) error {
				p := message(room, patient, "key")
				p.Content = "the same again"
				done, err := s.Append(t.Context(), p)
				require.Equal(t, n > 0, done.Replayed, "%v", err)
				n++
				return err
			}},
			{"send of a stranger", 1, func(t *testing.T) error {
				_, err := s.Append(t.Context(), message(room, other, ""))
				require.ErrorIs(t, err, consultation.ErrNotParticipant)
				return nil
			}},
			{"send in a transaction", 1 + 2 + 1, func(t *testing.T) error {
				return s.inTx(t.Context(), func(tx storagetest.Store) error {
					_, err := tx.Append(t.Context(), message(room, patient, ""))
					return err
				})
			}},
			{"consultation", 1, func(t *testing.T) error {
				_, err := s.Consultation(t.Context(), room, patient.UserID)
				return err
			}},
			{"history", 1, func(t *testing.T) error {
				_, err := s.History(t.Context(), chat.HistoryParams{ConsultationID: room, Viewer: student.UserID, Limit: 50})
				return err
			}},
			{"changes", 1, func(t *testing.T) error {
				_, err := s.Changes(t.Context(), chat.ChangesParams{
					ConsultationID: room, Viewer: student.UserID, Since: 3, Limit: 50, MaxBehind: 500,
				})
				return err
			}},
			{"inbox", 1, func(t *testing.T) error {
				_, err := s.Inbox(t.Context(), chat.InboxParams{Viewer: student.UserID, Limit: 50})
				return err
			}},
			{"open requests", 1, func(t *testing.T) error {
				_, err := s.Inbox(t.Context(), chat.InboxParams{Viewer: student.UserID, OpenRequests: true, Limit: 50})
				return err
			}},
			{"mark", 1, func(t *testing.T) error {
				n++
				_, err := s.MarkRead(t.Context(), chat.ReadParams{ConsultationID: room, Reader: student.UserID, Seq: int64(n)})
				return err
			}},
			{"create", 1, func(t *testing.T) error {
				id := consultation.ID(message(room, patient, "").ID)
				_, err := s.Create(t.Context(), consultation.CreateParams{ID: id, Topic: "x", Patient: patient})
				return err
			}},
			{"reassign", 1 + 2 + 1, func(t *testing.T) error {
				n++
				renamed := student
				renamed.LastName = fmt.Sprintf("Neumann %d", n) // or it would be a repeat
				_, err := s.Change(t.Context(), consultation.ChangeParams{Change: reassign(room, renamed)})
				return err
			}},
			{"claim", 1, func(t *testing.T) error {
				_, err := s.Claim(t.Context(), realtime.ClaimParams{Limit: 10})
				return err
			}},
			{"ack", 1, func(t *testing.T) error { return s.Ack(t.Context(), 1, 2, 3) }},
			{"ack through", 1, func(t *testing.T) error {
				return s.AckThrough(t.Context(), consultation.Channel(room, 1), 3)
			}},
			{"nack", 1, func(t *testing.T) error { return s.Nack(t.Context(), realtime.NackParams{IDs: []int64{1}}) }},
			{"backlog", 1, func(t *testing.T) error {
				_, err := s.Backlog(t.Context())
				return err
			}},
		} {
			require.Equal(t, c.trips, w.warm(t, c.call), c.name)
		}
	})
}

// calls is how often a call is counted.
const calls = 10

// warm returns the round trips of one call after the first. pgx asks whether the connection is alive when it has been idle
// for a second, so a count that took so long on a busy machine is repeated.
func (w *wire) warm(t *testing.T, call func(t *testing.T) error) int64 {
	t.Helper()
	require.NoError(t, call(t))
	for range 10 {
		start, before := time.Now(), w.trips.Load()
		for range calls {
			require.NoError(t, call(t))
		}
		trips := w.trips.Load() - before
		if time.Since(start) < time.Second {
			require.Zero(t, trips%calls, "%d round trips for %d calls", trips, calls)
			return trips / calls
		}
	}
	t.Fatal("the machine is too slow to count round trips")
	return 0
}
