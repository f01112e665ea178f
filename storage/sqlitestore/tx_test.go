package sqlitestore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"modernc.org/sqlite"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/sqlitestore"
)

// cancels holds, by the id of a message, the function that the SQL function
// murph_test_cancel calls.
var cancels sync.Map

func init() {
	sqlite.MustRegisterScalarFunction("murph_test_cancel", 1,
		func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			if cancel, ok := cancels.Load(args[0]); ok {
				cancel.(context.CancelFunc)()
			}
			return nil, nil
		})
}

// count is an expression that keeps SQLite busy long enough for the driver to
// interrupt the statement.
const count = `(WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000000) SELECT count(*) FROM c)`

// hostTx is a transaction of the host application that has written a note.
type hostTx struct {
	bun.Tx
	store *sqlitestore.Store
}

func beginHostTx(t *testing.T, triggers ...string) *hostTx {
	t.Helper()
	s := open(t, nil)
	begin(t, s, "room")
	for _, text := range append([]string{`CREATE TABLE notes (text TEXT)`}, triggers...) {
		_, err := s.DB().Exec(text)
		require.NoError(t, err)
	}
	tx, err := s.DB().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	h := &hostTx{Tx: tx, store: s}
	require.NoError(t, h.note("before"))
	return h
}

func (h *hostTx) note(text string) error {
	_, err := h.Tx.Tx.Exec(`INSERT INTO notes VALUES (?)`, text)
	return err
}

func (h *hostTx) notes(t *testing.T) (texts []string) {
	t.Helper()
	require.NoError(t, h.store.DB().NewSelect().Table("notes").Column("text").Order("rowid").Scan(t.Context(), &texts))
	return texts
}

// TestCancelKeepsTheHostsTransaction ends the context of a call in the middle
// of its statement. SQLite rolls back the whole transaction when a write is
// interrupted, so the store must not let the driver interrupt it.
func TestCancelKeepsTheHostsTransaction(t *testing.T) {
	t.Parallel()
	h := beginHostTx(t,
		`CREATE TRIGGER stall AFTER INSERT ON murph_messages BEGIN SELECT murph_test_cancel(new.id), `+count+`; END`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := message("room", "")
	cancels.Store(string(p.ID), cancel)
	_, err := h.store.With(h.Tx).Append(ctx, p)
	require.ErrorIs(t, err, context.Canceled)
	require.Error(t, ctx.Err(), "the trigger has run")

	require.NoError(t, h.note("after"))
	require.NoError(t, h.Commit())
	require.Equal(t, []string{"before", "after"}, h.notes(t))
	requireLog(t, h.store, "room", 0)
}

// TestLostTransactionCannotBeCommitted lets SQLite roll back the host's whole
// transaction while the store writes in it. The host learns of it, and what it
// writes next must not be committed alone.
func TestLostTransactionCannotBeCommitted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trigger string
		call    func(ctx context.Context, h *hostTx) error
	}{
		"append": {
			`CREATE TRIGGER lose AFTER INSERT ON murph_messages BEGIN SELECT RAISE(ROLLBACK, 'lost'); END`,
			func(ctx context.Context, h *hostTx) error {
				_, err := h.store.With(h.Tx).Append(ctx, message("room", ""))
				return err
			},
		},
		"mark read": {
			`CREATE TRIGGER lose AFTER UPDATE ON murph_participants BEGIN SELECT RAISE(ROLLBACK, 'lost'); END`,
			func(ctx context.Context, h *hostTx) error {
				_, err := h.store.With(h.Tx).MarkRead(ctx, chat.ReadParams{ConsultationID: "room", Reader: patient.UserID, Seq: 1})
				return err
			},
		},
		"nack": {
			`CREATE TRIGGER lose AFTER UPDATE ON murph_outbox BEGIN SELECT RAISE(ROLLBACK, 'lost'); END`,
			func(ctx context.Context, h *hostTx) error {
				bound := h.store.With(h.Tx)
				done, err := bound.Append(ctx, message("room", ""))
				if err != nil {
					return err
				}
				return bound.Nack(ctx, realtime.NackParams{IDs: []int64{done.Entry}})
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := beginHostTx(t, c.trigger)
			err := c.call(t.Context(), h)
			require.ErrorIs(t, err, consultation.ErrRetryTx)
			require.ErrorContains(t, err, "lost")
			require.ErrorIs(t, h.note("after"), sql.ErrTxDone)
			require.Error(t, h.Commit())
			require.Empty(t, h.notes(t))
			requireLog(t, h.store, "room", 0)
		})
	}
}
