package integration_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// load is several people who send without a pause until they are told to stop.
type load struct {
	*store
	stop chan struct{}
	wg   sync.WaitGroup
	ok   chan struct{} // one for each acknowledged send

	mu     sync.Mutex
	acked  map[chat.MessageID]chat.Message
	failed map[chat.MessageID]error // sends without a key whose one attempt gave an error
	errs   int
}

const (
	loadRooms   = 3
	loadSenders = 6
)

// sendTimeout is how long a send has. Senders without a key do not wait out a lock of five seconds, the others do.
func sendTimeout(key string) time.Duration {
	if key == "" {
		return time.Second
	}
	return 20 * time.Second
}

func startLoad(t *testing.T, s *store) *load {
	t.Helper()
	l := &load{
		store: s, stop: make(chan struct{}), ok: make(chan struct{}, 1<<20),
		acked: map[chat.MessageID]chat.Message{}, failed: map[chat.MessageID]error{},
	}
	for room := range loadRooms {
		begin(t, s, roomOf(room))
	}
	for sender := range loadSenders {
		l.wg.Go(func() { l.send(t.Context(), sender) })
	}
	return l
}

func roomOf(n int) consultation.ID { return consultation.ID(fmt.Sprintf("room-%d", n%loadRooms)) }

// send sends one message after the other. Those with a key are repeated until they are acknowledged, as a client does;
// those without are tried once.
func (l *load) send(ctx context.Context, sender int) {
	for n := 0; ; n++ {
		select {
		case <-l.stop:
			return
		default:
		}
		key := ""
		if sender >= loadSenders/2 {
			key = fmt.Sprintf("key-%d-%d", sender, n)
		}
		p := message(roomOf(sender), patient, key)
		for {
			ctx, cancel := context.WithTimeout(ctx, sendTimeout(key))
			done, err := l.Append(ctx, p)
			cancel()
			l.note(p, done, err)
			if err == nil || key == "" {
				break
			}
			p.ID = message(roomOf(sender), patient, "").ID // what a new request of the client brings
		}
	}
}

func (l *load) note(p chat.AppendParams, done chat.Appended, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.acked[done.Message.ID] = done.Message
		l.ok <- struct{}{}
	case p.ClientMessageID == "":
		l.failed[p.ID] = err
		fallthrough
	default:
		l.errs++
	}
}

// progress waits for so many acknowledged sends from now on.
func (l *load) progress(n int) {
	for range len(l.ok) {
		<-l.ok
	}
	for range n {
		<-l.ok
	}
}

// verify ends the load and compares what is stored with what the senders were told. It returns how many of the failed
// sends are stored nevertheless, because only the answer was lost.
func (l *load) verify(t *testing.T) (unacknowledged int) {
	t.Helper()
	close(l.stop)
	l.wg.Wait()
	stored, keys := map[chat.MessageID]int{}, map[string]int{}
	for n := range loadRooms {
		page := history(t.Context(), t, l, roomOf(n))
		requireLog(t, page, 3)
		for _, m := range page.Messages {
			stored[m.ID]++
			if m.ClientMessageID != "" {
				keys[m.ClientMessageID]++
			}
			if acked, ok := l.acked[m.ID]; ok {
				require.Equal(t, acked, m)
			} else {
				unacknowledged++
				require.Contains(t, l.failed, m.ID, "a message that nobody has sent")
			}
		}
	}
	for id := range l.acked {
		require.Equal(t, 1, stored[id], "acknowledged message %s", id)
	}
	for key, n := range keys {
		require.Equal(t, 1, n, "messages for %s", key)
	}
	return unacknowledged
}

// TestFaults lets the connections die, the server crash and a lock be held for five seconds while six people send. What
// was acknowledged is stored exactly once, what was not got an error, and the store recovers by itself.
func TestFaults(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		server := pgtest.Start(t)
		dsn := server.Database(t)
		s := d.openStore(t, with(t, dsn, "application_name", "load"), loadSenders)
		admin := drivers[0].open(t, dsn)
		t.Cleanup(func() { _ = admin.Close() })
		l := startLoad(t, s)

		for range 5 {
			l.progress(100)
			_, err := admin.ExecContext(t.Context(),
				`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'load'`)
			require.NoError(t, err)
		}
		l.progress(100)
		for range 2 {
			server.Restart(t)
			l.progress(100)
		}
		lockRooms(t, l, dsn)
		lost := l.verify(t)
		t.Logf("%d acknowledged, %d errors, %d stored although the answer was lost", len(l.acked), l.errs, lost)
		require.Positive(t, l.errs, "the faults have hit nobody")
	})
}

// lockRooms holds the locks of all rooms for five seconds. Those who gave up meanwhile have stored nothing.
func lockRooms(t *testing.T, l *load, dsn string) {
	t.Helper()
	db := drivers[0].open(t, dsn)
	defer func() { require.NoError(t, db.Close()) }()
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), `SELECT 1 FROM murph_consultations ORDER BY id FOR UPDATE`)
	require.NoError(t, err)
	before := l.failures()
	_, err = tx.ExecContext(t.Context(), `SELECT pg_sleep(5)`)
	require.NoError(t, err)
	during := l.failures()
	require.NoError(t, tx.Commit())
	l.progress(100)

	maps.DeleteFunc(during, func(id chat.MessageID, _ error) bool { _, ok := before[id]; return ok })
	require.NotEmpty(t, during, "nobody gave up within five seconds")
	for id, err := range during {
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var stored bool
		query := `SELECT EXISTS (SELECT 1 FROM murph_messages WHERE id = $1)`
		require.NoError(t, db.QueryRowContext(t.Context(), query, string(id)).Scan(&stored))
		require.False(t, stored, "a message that was given up is stored")
	}
}

func (l *load) failures() map[chat.MessageID]error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.failed)
}
