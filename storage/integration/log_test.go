package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// tail is a log that several transactions write to and that somebody follows with a cursor.
type tail interface {
	// write adds an entry within a transaction.
	write(ctx context.Context, tx *sql.Tx) error
	// read returns the entries behind the cursor, as positions, and where to continue.
	read(ctx context.Context, cursor int64) (positions []int64, next int64, err error)
}

// revs is the log of a consultation, followed by rev.
type revs struct{ *store }

func (r revs) write(ctx context.Context, tx *sql.Tx) error {
	_, err := r.With(tx).Append(ctx, message(room, patient, ""))
	return err
}

func (r revs) read(ctx context.Context, cursor int64) (positions []int64, next int64, err error) {
	changes, err := r.Changes(ctx, chat.ChangesParams{
		ConsultationID: room, Viewer: student.UserID, Since: cursor, Limit: 7, MaxBehind: 1 << 30,
	})
	if err == nil && changes.Reset {
		err = errors.New("a reset")
	}
	for _, m := range changes.Messages {
		positions = append(positions, m.Rev)
	}
	return positions, changes.NextSince, err
}

// serials is what one would do without a counter under a lock: positions come from a sequence, that is, in the order in
// which the transactions ask and not in the order in which they commit.
type serials struct{ db *sql.DB }

func (s serials) write(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO naive DEFAULT VALUES`)
	return err
}

func (s serials) read(ctx context.Context, cursor int64) (positions []int64, next int64, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id FROM naive WHERE id > $1 ORDER BY id LIMIT 7`, cursor)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	next = cursor
	for rows.Next() {
		if err := rows.Scan(&next); err != nil {
			return nil, 0, err
		}
		positions = append(positions, next)
	}
	return positions, next, rows.Err()
}

// followed is what the follower of a log has seen.
type followed struct {
	committed, seen int
	holes           int // positions that were still missing when a later one was seen
}

const (
	writers       = 8
	writesEach    = 120
	rollbackEvery = 20
)

// follow lets 8 writers write to the log, each with up to 3 ms between its entry and its commit and with a rollback in
// twenty, and follows the log from start meanwhile and until nothing is left.
func follow(t *testing.T, db *sql.DB, log tail, start int64) (f followed) {
	t.Helper()
	ctx := t.Context()
	var (
		wg        sync.WaitGroup
		mu        sync.Mutex
		committed int
		errs      []error
	)
	for range writers {
		wg.Go(func() {
			for range writesEach {
				kept, err := writeSlowly(ctx, db, log)
				mu.Lock()
				if kept {
					committed++
				}
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	finished := make(chan struct{})
	go func() {
		wg.Wait()
		close(finished)
	}()

	cursor, last := start, start
	for done := false; ; {
		positions, next, err := log.read(ctx, cursor)
		require.NoError(t, err)
		for _, p := range positions {
			if p != last+1 {
				f.holes++
			}
			last = p
		}
		f.seen += len(positions)
		cursor = next
		if done && len(positions) == 0 {
			break
		}
		select {
		case <-finished:
			done = true
		default:
		}
	}
	require.NoError(t, errors.Join(errs...))
	f.committed = committed
	return f
}

// writeSlowly writes one entry in a transaction that has something else to do before it ends, and says whether it was
// committed.
func writeSlowly(ctx context.Context, db *sql.DB, log tail) (committed bool, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }()
	if err := log.write(ctx, tx); err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, `SELECT pg_sleep($1::float8)`, rand.Float64()*0.003); err != nil {
		return false, err
	}
	if rand.N(rollbackEvery) == 0 {
		return false, tx.Rollback()
	}
	err = tx.Commit()
	return err == nil, err
}

// TestFollowersMissNothing follows a consultation by rev: every message is seen, and what has been seen is at each moment
// all that there is up to there.
func TestFollowersMissNothing(t *testing.T) {
	t.Parallel()
	s := drivers[0].openStore(t, pgtest.Schema(t), writers+1)
	begin(t, s, room)
	f := follow(t, s.db.DB, revs{s}, 2)
	t.Logf("rev: %d committed, %d seen, %d holes", f.committed, f.seen, f.holes)
	require.Positive(t, f.committed)
	require.Equal(t, f.committed, f.seen)
	require.Zero(t, f.holes)
	requireLog(t, history(t.Context(), t, s, room), 3)
}

// TestFollowersOfASequenceMissSome shows that the test above would notice: by a sequence the same follower loses entries.
func TestFollowersOfASequenceMissSome(t *testing.T) {
	t.Parallel()
	db := drivers[0].open(t, pgtest.Schema(t))
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	db.SetMaxOpenConns(writers + 1)
	_, err := db.ExecContext(t.Context(), `CREATE TABLE naive (id bigserial PRIMARY KEY)`)
	require.NoError(t, err)
	f := follow(t, db, serials{db}, 0)
	t.Logf("bigserial: %d committed, %d seen, %d holes", f.committed, f.seen, f.holes)
	require.Less(t, f.seen, f.committed)
	require.Positive(t, f.holes)
}
