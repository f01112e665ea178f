package bunstore_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/schema"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/bunstore"
)

// mysql is a dialect that the store does not know.
type mysql struct{ schema.Dialect }

func (mysql) Name() dialect.Name { return dialect.MySQL }

func TestNew(t *testing.T) {
	t.Parallel()
	_, err := bunstore.New(nil, nil)
	require.ErrorContains(t, err, "needs a database")
	f := &fake{}
	_, db := f.open(t, pgdialect.New(), nil)
	_, err = bunstore.New(db, &bunstore.Options{Reader: db})
	require.ErrorContains(t, err, "SQLite only")
	_, err = bunstore.New(bun.NewDB(db.DB, mysql{pgdialect.New()}), nil)
	require.ErrorContains(t, err, "neither Postgres nor SQLite")
	require.Zero(t, f.count(), "New does not talk to the database")
}

func TestMaxReads(t *testing.T) {
	t.Parallel()
	s, db := (&fake{}).open(t, pgdialect.New(), nil)
	for conns, want := range map[int]int{0: 0, 1: 1, 2: 1, 4: 2, 100: 50} {
		db.SetMaxOpenConns(conns)
		require.Equal(t, want, s.MaxReads(), conns)
	}
	require.NoError(t, db.RunInTx(t.Context(), nil, func(_ context.Context, tx bun.Tx) error {
		require.Zero(t, s.With(tx).MaxReads())
		return nil
	}))
	_, reader := (&fake{}).open(t, sqlitedialect.New(), nil)
	s, _ = (&fake{}).open(t, sqlitedialect.New(), &bunstore.Options{Reader: reader})
	reader.SetMaxOpenConns(4)
	require.Equal(t, 4, s.MaxReads(), "the second pool has no writes")
}

// TestReader reads from the second pool, but not in a transaction of the host's.
func TestReader(t *testing.T) {
	t.Parallel()
	writes, reads := &fake{}, &fake{}
	_, reader := reads.open(t, sqlitedialect.New(), nil)
	s, db := writes.open(t, sqlitedialect.New(), &bunstore.Options{Reader: reader})
	_, err := s.Consultation(t.Context(), "room", "")
	require.ErrorIs(t, err, consultation.ErrNotFound)
	require.Equal(t, []int{0, 1}, []int{writes.count(), reads.count()})
	require.NoError(t, s.Ack(t.Context(), 1))
	require.Equal(t, []int{1, 1}, []int{writes.count(), reads.count()})
	require.NoError(t, db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := s.With(tx).Consultation(ctx, "room", "")
		require.ErrorIs(t, err, consultation.ErrNotFound)
		return nil
	}))
	require.Equal(t, []int{2, 1}, []int{writes.count(), reads.count()})
}

// calls are the methods that write, by what the errors call them.
func calls(s *bunstore.Store) map[string]func(ctx context.Context) error {
	q := &realtime.Enqueue{}
	return map[string]func(ctx context.Context) error{
		"create consultation": func(ctx context.Context) error {
			_, err := s.Create(ctx, consultation.CreateParams{ID: "room"})
			return err
		},
		"change consultation": func(ctx context.Context) error {
			_, err := s.Change(ctx, consultation.ChangeParams{Change: consultation.Change{ID: "room"}, Enqueue: q})
			return err
		},
		"append message": func(ctx context.Context) error {
			_, err := s.Append(ctx, chat.AppendParams{ID: "m", ConsultationID: "room", SenderID: "p", Content: "Geheimnis", Enqueue: q})
			return err
		},
		"edit message": func(ctx context.Context) error {
			_, err := s.Edit(ctx, chat.EditParams{ID: "m", By: "p", Content: "Geheimnis"})
			return err
		},
		"delete message": func(ctx context.Context) error {
			_, err := s.Delete(ctx, chat.DeleteParams{ID: "m", By: "p"})
			return err
		},
		"mark read": func(ctx context.Context) error {
			_, err := s.MarkRead(ctx, chat.ReadParams{ConsultationID: "room", Reader: "p", Seq: 1})
			return err
		},
		"acknowledge outbox entries":    func(ctx context.Context) error { return s.Ack(ctx, 1) },
		"return outbox entries":         func(ctx context.Context) error { return s.Nack(ctx, realtime.NackParams{IDs: []int64{1}}) },
		"acknowledge outbox entries of": func(ctx context.Context) error { return s.AckThrough(ctx, consultation.Channel("room", 1), 1) },
	}
}

// TestRepeats counts how often a statement is run that fails in a certain way: until it succeeds where another transaction
// was in the way, and once where the outcome is not known.
func TestRepeats(t *testing.T) {
	t.Parallel()
	errDriver := errors.New("connection reset")
	for _, c := range []struct {
		name    string
		dialect schema.Dialect
		err     error
		repeats bool
	}{
		{"pgx 40001", pgdialect.New(), pgxError("40001"), true},
		{"pgx 40P01", pgdialect.New(), pgxError("40P01"), true},
		{"pgdriver 40001", pgdialect.New(), pgdriverError("40001"), true},
		{"pgdriver 40P01", pgdialect.New(), pgdriverError("40P01"), true},
		{"pgx 57014", pgdialect.New(), pgxError("57014"), false},
		{"a broken connection", pgdialect.New(), errDriver, false},
		{"the end of the connection", pgdialect.New(), io.ErrUnexpectedEOF, false},
		{"SQLITE_BUSY", sqlitedialect.New(), sqliteError(5), true},
		{"SQLITE_BUSY_SNAPSHOT", sqlitedialect.New(), sqliteError(517), true},
		{"busy in another driver", sqlitedialect.New(), errors.New("database is locked"), true},
		{"SQLITE_IOERR", sqlitedialect.New(), sqliteError(10), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{}
				s, _ := f.open(t, c.dialect, nil)
				for name, call := range calls(s) {
					f.ran, f.script = nil, slices.Repeat([]error{c.err}, 1000)
					before, start := s.Stats(), time.Now()
					err := call(t.Context())
					require.ErrorIs(t, err, c.err)
					require.ErrorContains(t, err, "bunstore: "+name)
					require.NotContains(t, err.Error(), "Geheimnis")
					require.NotErrorIs(t, err, consultation.ErrRetryTx, "the store repeats by itself")
					want, givenUp := 1, uint64(0)
					if c.repeats {
						want, givenUp = bunstore.MaxAttempts, 1
						require.ErrorIs(t, err, consultation.ErrUnavailable)
					}
					if c.repeats && c.dialect.Name() == dialect.SQLite {
						want = f.count() // the time is the bound
						require.GreaterOrEqual(t, time.Since(start), bunstore.DefaultBusyTimeout)
						require.Less(t, time.Since(start), bunstore.DefaultBusyTimeout+time.Second)
						require.Greater(t, want, bunstore.MaxAttempts)
					}
					require.Equal(t, want, f.count(), "statements of %s", name)
					st := s.Stats()
					require.EqualValues(t, want-1, st.Repeats-before.Repeats, name)
					require.Equal(t, givenUp, st.GivenUp-before.GivenUp, name)
					require.GreaterOrEqual(t, st.Failures-before.Failures, uint64(want), name)
					require.GreaterOrEqual(t, st.Statements-before.Statements, st.Failures-before.Failures, name)
				}
			})
		})
	}
}

// TestRetryTx says that the host has to start again, once, where the store could not.
func TestRetryTx(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		dialect schema.Dialect
		err     error
	}{
		{pgdialect.New(), pgxError("40001")},
		{pgdialect.New(), pgdriverError("40P01")},
		{sqlitedialect.New(), sqliteError(517)},
	} {
		f := &fake{}
		s, db := f.open(t, c.dialect, nil)
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		for name, call := range calls(s.With(tx)) {
			f.ran, f.script = nil, []error{c.err}
			err := call(t.Context())
			require.ErrorIs(t, err, consultation.ErrRetryTx, name)
			require.ErrorIs(t, err, c.err, name)
			require.NotContains(t, f.ran, "COMMIT")
			require.NotContains(t, f.ran, "BEGIN")
		}
		require.EqualValues(t, len(calls(s)), s.Stats().GivenUp, "what With has made counts here too")
		require.Zero(t, s.Stats().Repeats)
		require.NoError(t, tx.Rollback())
	}
}

// TestUniqueViolation repeats a send once: who was faster is seen then, or it is something else.
func TestUniqueViolation(t *testing.T) {
	t.Parallel()
	f := &fake{script: slices.Repeat([]error{pgxError("23505")}, 5)}
	s, _ := f.open(t, pgdialect.New(), nil)
	_, err := s.Append(t.Context(), chat.AppendParams{ID: "m", ConsultationID: "room", SenderID: "p", ClientMessageID: "key"})
	require.ErrorIs(t, err, pgxError("23505"))
	require.Equal(t, 2, f.count())
}

// late is a context whose deadline has passed and whose own timer has not noticed yet.
type late struct{ context.Context }

func (late) Deadline() (time.Time, bool) { return time.Unix(1, 0), true }

// TestContextIsTheReason names the end of the context as the reason of an error that came with it, whatever the driver
// says. An answer that came in time stands.
func TestContextIsTheReason(t *testing.T) {
	t.Parallel()
	errTimeout := errors.New("i/o timeout")
	f := &fake{script: []error{errTimeout, nil, errTimeout}}
	s, _ := f.open(t, pgdialect.New(), nil)
	_, err := s.Consultation(late{t.Context()}, "room", "")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, errTimeout)
	_, err = s.Consultation(late{t.Context()}, "room", "")
	require.ErrorIs(t, err, consultation.ErrNotFound)
	_, err = s.Consultation(t.Context(), "room", "")
	require.ErrorIs(t, err, errTimeout)
	require.NotErrorIs(t, err, context.DeadlineExceeded)
}

// TestOnQuery gets each statement with its error.
func TestOnQuery(t *testing.T) {
	t.Parallel()
	var seen []bunstore.Query
	f := &fake{script: []error{nil, io.ErrUnexpectedEOF}}
	s, _ := f.open(t, pgdialect.New(), &bunstore.Options{OnQuery: func(_ context.Context, q bunstore.Query) { seen = append(seen, q) }})
	require.NoError(t, s.Ack(t.Context(), 1))
	require.Error(t, s.AckThrough(t.Context(), consultation.Channel("room", 1), 1))
	require.NoError(t, s.AckThrough(t.Context(), "presence-consultation-room", 1), "no entry goes there")
	require.Len(t, seen, 2)
	require.Equal(t, []string{"ack", "ack through"}, []string{seen[0].Name, seen[1].Name})
	require.Contains(t, seen[0].Text, "DELETE FROM murph_outbox")
	require.ErrorIs(t, seen[1].Err, io.ErrUnexpectedEOF)
	require.Less(t, seen[0].Duration, time.Minute)
}
