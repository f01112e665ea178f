package sqlitestore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/sqlitestore"
	"github.com/murph-chat/murph/storage/storagetest"
)

var (
	patient = consultation.Participant{UserID: "patient-1", Role: consultation.RolePatient, FirstName: "Zoë", LastName: "Müller"}
	student = consultation.Participant{UserID: "student-1", Role: consultation.RoleStudent, FirstName: "Jürgen", LastName: "Groß"}
)

// begin stores a consultation that is IN_PROGRESS, at rev 2.
func begin(tb testing.TB, s consultation.Storage, id consultation.ID) {
	tb.Helper()
	_, err := s.Create(tb.Context(), consultation.CreateParams{ID: id, Topic: "Rückenschmerzen", Patient: patient})
	require.NoError(tb, err)
	_, err = s.Change(tb.Context(), consultation.ChangeParams{Change: consultation.Change{
		ID: id, By: consultation.Person(student), To: consultation.StatusInProgress, Student: &student,
	}})
	require.NoError(tb, err)
}

var ids atomic.Int64

func message(id consultation.ID, key string) chat.AppendParams {
	n := ids.Add(1)
	text := key // a repeat has the same text
	if key == "" {
		text = fmt.Sprint(n)
	}
	return chat.AppendParams{
		ID: chat.MessageID(fmt.Sprintf("message-%d", n)), ConsultationID: id, SenderID: patient.UserID,
		Content: "Text " + text, ClientMessageID: key, Enqueue: &realtime.Enqueue{},
	}
}

func requireLog(tb testing.TB, s chat.Storage, id consultation.ID, n int) {
	tb.Helper()
	page, err := s.History(tb.Context(), chat.HistoryParams{ConsultationID: id, Viewer: patient.UserID, Limit: 1_000_000})
	require.NoError(tb, err)
	require.Len(tb, page.Messages, n)
	for i, m := range page.Messages {
		require.EqualValues(tb, i+3, m.Seq)
	}
	require.EqualValues(tb, n+2, page.Consultation.Rev)
}

// writeFor lets 8 goroutines write and read for so long, and returns how many messages were stored and the errors.
func writeFor(ctx context.Context, long time.Duration, stores ...storagetest.Store) (stored int64, errs []error) {
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var count atomic.Int64
	for i := range 8 {
		wg.Go(func() {
			s := stores[i%len(stores)]
			for ctx.Err() == nil {
				_, err := s.Append(ctx, message("room", ""))
				if err == nil {
					count.Add(1)
					_, err = s.History(ctx, chat.HistoryParams{ConsultationID: "room", Viewer: patient.UserID, Limit: 20})
				}
				if err != nil && !errors.Is(err, context.DeadlineExceeded) {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return count.Load(), errs
}

// busy counts the statements that were told that the database is busy, also those that were then repeated.
type busy struct{ count atomic.Int64 }

func (b *busy) note(_ context.Context, q bunstore.Query) {
	var coded interface{ Code() int }
	if errors.As(q.Err, &coded) && coded.Code()&0xff == 5 {
		b.count.Add(1)
	}
}

// TestNeverBusy lets 8 goroutines write for three seconds.
func TestNeverBusy(t *testing.T) {
	t.Parallel()
	var b busy
	s := open(t, &sqlitestore.Options{OnQuery: b.note})
	begin(t, s, "room")
	stored, errs := writeFor(t.Context(), 3*time.Second, s)
	t.Logf("%d messages in 3 s", stored)
	require.Empty(t, errs)
	require.Zero(t, b.count.Load())
	require.Positive(t, stored)
	requireLog(t, s, "room", int(stored))
}

// TestTwoStoresOneFile does so with two stores on one file, as two processes have them.
func TestTwoStoresOneFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "murph.db")
	one, two := openAt(t, path, nil), openAt(t, path, nil)
	begin(t, one, "room")
	stored, errs := writeFor(t.Context(), time.Second, one, two)
	require.Empty(t, errs)
	requireLog(t, two, "room", int(stored))
}

// TestBusyIsNoticed shows that the tests above would notice: with many connections, transactions that take the write lock
// late and no patience, the same load is told that the database is busy. Only the store's repeating hides most of it.
func TestBusyIsNoticed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "murph.db")
	begin(t, openAt(t, path, nil), "room")
	var b busy
	s, err := bunstore.New(bun.NewDB(plain(t, path), sqlitedialect.New()), &bunstore.Options{OnQuery: b.note})
	require.NoError(t, err)
	_, _ = writeFor(t.Context(), 500*time.Millisecond, s)
	require.Positive(t, b.count.Load())
}

// plain opens the file with the driver's own settings.
func plain(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// TestOpenAtOnce opens a new file in eight places at the same moment.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	for range 8 {
		path := filepath.Join(t.TempDir(), "murph.db")
		start := make(chan struct{})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				<-start
				s, err := sqlitestore.Open(t.Context(), path, nil)
				if assert.NoError(t, err) {
					assert.NoError(t, s.Check(t.Context()))
					assert.NoError(t, s.Close())
				}
			})
		}
		close(start)
		wg.Wait()
	}
}

// TestLateLockIsRetryable reads in a transaction of the host's, lets somebody else write, and then writes: SQLite cannot
// go on, and the host is told to start again.
func TestLateLockIsRetryable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "murph.db")
	s := openAt(t, path, nil)
	begin(t, s, "room")
	db := plain(t, path) // its transactions begin without the write lock
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	bound := s.With(tx)
	_, err = bound.Consultation(t.Context(), "room", "")
	require.NoError(t, err)
	_, err = s.Append(t.Context(), message("room", ""))
	require.NoError(t, err)
	_, err = bound.Append(t.Context(), message("room", ""))
	require.ErrorIs(t, err, consultation.ErrRetryTx)
	require.NoError(t, tx.Rollback())
	requireLog(t, s, "room", 1)
}

// TestFailureLeavesNothing lets an append in a transaction of the host's fail halfway. What it has done is undone, and the
// host can go on and commit.
func TestFailureLeavesNothing(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	begin(t, s, "room")
	first := message("room", "")
	tx, err := s.DB().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	bound := s.With(tx)
	_, err = bound.Append(t.Context(), first)
	require.NoError(t, err)
	again := message("room", "")
	again.ID = first.ID
	_, err = bound.Append(t.Context(), again)
	require.ErrorContains(t, err, "bunstore: append message: ")
	require.NotContains(t, err.Error(), again.Content)
	_, err = bound.Append(t.Context(), message("room", ""))
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	requireLog(t, s, "room", 2)
}

// TestBusyTimeoutBoundsTheWholeCall lets another process hold the write lock.
// The timeout applies to the call and not to each of many attempts.
func TestBusyTimeoutBoundsTheWholeCall(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "murph.db")
	var b busy
	s := openAt(t, path, &sqlitestore.Options{BusyTimeout: 50 * time.Millisecond, OnQuery: b.note})
	begin(t, s, "room")
	locker := plain(t, path)
	locker.SetMaxOpenConns(1)
	_, err := locker.Exec(`BEGIN IMMEDIATE`)
	require.NoError(t, err)
	_, err = s.Append(t.Context(), message("room", ""))
	require.ErrorIs(t, err, consultation.ErrUnavailable)
	require.Less(t, b.count.Load(), int64(4), "attempts, each of which waits as long as the timeout")
	require.ErrorIs(t, s.Ack(t.Context(), 1), consultation.ErrUnavailable)
	_, err = locker.Exec(`ROLLBACK`)
	require.NoError(t, err)
	_, err = s.Append(t.Context(), message("room", ""))
	require.NoError(t, err)
}

// TestWritersWaitForABoundedTime lets the host application hold the one
// connection that writes. Callers without a deadline must not wait forever.
func TestWritersWaitForABoundedTime(t *testing.T) {
	t.Parallel()
	s := open(t, &sqlitestore.Options{BusyTimeout: 50 * time.Millisecond})
	begin(t, s, "room")
	tx, err := s.DB().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // for a test that fails
	defer cancel()
	for name, call := range map[string]func() error{
		"a transaction": func() error { _, err := s.Append(ctx, message("room", "")); return err },
		"a statement":   func() error { return s.Ack(ctx, 1) },
		"a check":       func() error { return s.Check(ctx) },
	} {
		require.ErrorIs(t, call(), consultation.ErrUnavailable, name)
	}
	requireLog(t, s, "room", 0)
	require.NoError(t, tx.Rollback())
	patience := open(t, &sqlitestore.Options{BusyTimeout: -1})
	begin(t, patience, "room")
}

// TestMissingDetails deletes the row with the details of a participant. Writes
// of that participant fail with an error that names the row.
func TestMissingDetails(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	begin(t, s, "room")
	_, err := s.DB().Exec(`DELETE FROM murph_participants WHERE user_id = ?`, string(patient.UserID))
	require.NoError(t, err)
	_, err = s.Append(t.Context(), message("room", ""))
	require.ErrorContains(t, err, "murph_participants")
	_, err = s.MarkRead(t.Context(), chat.ReadParams{ConsultationID: "room", Reader: patient.UserID, Seq: 1})
	require.ErrorContains(t, err, "murph_participants")
	require.Zero(t, s.Stats().Repeats)
}
