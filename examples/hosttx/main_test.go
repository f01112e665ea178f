package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/integration/pgtest"
	"github.com/murph-chat/murph/storage/sqlitestore"
)

// forEachDatabase runs the test with a clinic on SQLite and one on Postgres.
func forEachDatabase(t *testing.T, test func(t *testing.T, c *clinic, id consultation.ID, browser *inmem.Subscription)) {
	on := func(t *testing.T, db *sql.DB, store *bunstore.Store) {
		t.Helper()
		events := &inmem.Broadcaster{}
		c, err := newClinic(t.Context(), db, store, events)
		require.NoError(t, err)
		id, err := c.start(t.Context())
		require.NoError(t, err)
		_, err = c.relay.Flush(t.Context())
		require.NoError(t, err)
		test(t, c, id, events.Subscribe(consultation.Channel(id, 1), ""))
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		store, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "host.db"), nil)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		on(t, store.DB().DB, store.Store)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db, err := sql.Open("pgx", pgtest.Database(t))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		store, err := bunstore.NewPostgres(db, nil)
		require.NoError(t, err)
		require.NoError(t, store.Migrate(t.Context()))
		on(t, db, store)
	})
}

// received sends what is due and returns the texts that came, in order.
func received(t *testing.T, c *clinic, browser *inmem.Subscription) []string {
	t.Helper()
	_, err := c.relay.Flush(t.Context())
	require.NoError(t, err)
	var texts []string
	for _, ev := range browser.Events() {
		var m chat.Message
		require.NoError(t, json.Unmarshal(ev.Data, &m))
		texts = append(texts, m.Content)
	}
	backlog, err := c.store.Backlog(t.Context())
	require.NoError(t, err)
	require.Zero(t, backlog.Pending)
	return texts
}

func TestEventIffCommit(t *testing.T) {
	t.Parallel()
	forEachDatabase(t, func(t *testing.T, c *clinic, id consultation.ID, browser *inmem.Subscription) {
		require.NoError(t, c.book(t.Context(), id, "3. Dezember"))
		require.Error(t, c.book(t.Context(), id, "3. Dezember"), "the day is taken")
		require.NoError(t, c.book(t.Context(), id, "4. Dezember"))
		require.Equal(t, []string{"Ihr Termin: 3. Dezember", "Ihr Termin: 4. Dezember"}, received(t, c, browser))
	})
}

func TestRollbackLeavesNothing(t *testing.T) {
	t.Parallel()
	forEachDatabase(t, func(t *testing.T, c *clinic, id consultation.ID, browser *inmem.Subscription) {
		before, err := c.consultations.Get(t.Context(), id, patient.UserID)
		require.NoError(t, err)

		tx, err := c.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = c.messages.SendTx(t.Context(), c.store.With(tx), chat.SendParams{ConsultationID: id, SenderID: student.UserID, Content: "nie"})
		require.NoError(t, err)
		_, err = c.consultations.TransitionTx(t.Context(), c.store.With(tx), consultation.StatusCompleted,
			consultation.TransitionParams{ID: id, By: consultation.Person(student)})
		require.NoError(t, err)
		require.NoError(t, tx.Rollback())

		after, err := c.consultations.Get(t.Context(), id, patient.UserID)
		require.NoError(t, err)
		require.Equal(t, before, after)
		require.Empty(t, received(t, c, browser))
	})
}

func TestTransitionInATransactionOfBun(t *testing.T) {
	t.Parallel()
	forEachDatabase(t, func(t *testing.T, c *clinic, id consultation.ID, browser *inmem.Subscription) {
		db := bun.NewDB(c.db, pgdialect.New()) // bun writes nothing here, so the dialect does not matter
		stop := errors.New("stop")
		for _, outcome := range []error{stop, nil} {
			err := db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
				_, err := c.consultations.TransitionTx(ctx, c.store.With(tx), consultation.StatusCompleted,
					consultation.TransitionParams{ID: id, By: consultation.Person(student)})
				return errors.Join(err, outcome)
			})
			require.ErrorIs(t, err, outcome)
		}
		_, err := c.relay.Flush(t.Context())
		require.NoError(t, err)
		events := browser.Events()
		require.Len(t, events, 1)
		require.Equal(t, consultation.EventStatusUpdate, events[0].Name)
	})
}

func TestRun(t *testing.T) {
	t.Parallel()
	require.NoError(t, run(t.Context()))
}
