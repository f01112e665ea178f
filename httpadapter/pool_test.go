package httpadapter_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
)

// pooled is a store with a pool of connections, each of which is in use for 10 ms of the test's clock. The rows of
// consultations can be locked.
type pooled struct {
	*countingStore
	conns  chan struct{}
	says   int // what MaxReads returns
	locked map[consultation.ID]chan struct{}
	reads  atomic.Int64 // under way, waiting for a connection or using it
	most   atomic.Int64 // of reads at once
}

func (s *pooled) MaxReads() int { return s.says }

// use holds a connection until the row is not locked any more.
func (s *pooled) use(ctx context.Context, id consultation.ID) error {
	select {
	case s.conns <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.conns }()
	if lock := s.locked[id]; lock != nil {
		select {
		case <-lock:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	<-time.After(10 * time.Millisecond)
	return nil
}

func (s *pooled) Append(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
	if err := s.use(ctx, p.ConsultationID); err != nil {
		return chat.Appended{}, err
	}
	return s.countingStore.Append(ctx, p)
}

func (s *pooled) MarkRead(ctx context.Context, p chat.ReadParams) (chat.Marked, error) {
	if err := s.use(ctx, p.ConsultationID); err != nil {
		return chat.Marked{}, err
	}
	return s.countingStore.MarkRead(ctx, p)
}

func (s *pooled) Edit(ctx context.Context, p chat.EditParams) (chat.Changed, error) {
	if err := s.use(ctx, "demo"); err != nil {
		return chat.Changed{}, err
	}
	return s.countingStore.Edit(ctx, p)
}

func (s *pooled) History(ctx context.Context, p chat.HistoryParams) (chat.Page, error) {
	reads := s.reads.Add(1)
	defer s.reads.Add(-1)
	for most := s.most.Load(); reads > most && !s.most.CompareAndSwap(most, reads); most = s.most.Load() {
	}
	if err := s.use(ctx, ""); err != nil {
		return chat.Page{}, err
	}
	return s.countingStore.History(ctx, p)
}

// withPool makes a handler on a store with four connections that says so much of its reads.
func withPool(t *testing.T, maxReads, says int) (*bundle, *pooled) {
	t.Helper()
	b := setup(t)
	s := &pooled{countingStore: b.store, conns: make(chan struct{}, 4), says: says, locked: map[consultation.ID]chan struct{}{}}
	again := *b
	var err error
	again.chat, err = chat.NewService(s, b.events, &chat.Options{WriteRate: chat.Rate{PerSecond: -1}})
	require.NoError(t, err)
	h, err := httpadapter.New(httpadapter.Config{
		Chat: again.chat, Consultations: b.consultations, Authenticator: httpadapter.AuthenticatorFunc(session), MaxReads: maxReads,
	})
	require.NoError(t, err)
	again.Handler = holdToContract(t, h)
	return &again, s
}

// TestReadsLeaveConnectionsToSends measures a send while 60 clients read, with four connections.
func TestReadsLeaveConnectionsToSends(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		maxReads, says int
		most           int64
		wait           time.Duration
	}{
		"the store knows its pool": {0, 2, 2, 10 * time.Millisecond},
		"no limit below the pool":  {200, 2, 60, 160 * time.Millisecond}, // it waits behind all readers
		"the store does not know":  {0, 0, 60, 160 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b, s := withPool(t, c.maxReads, c.says)
				var readers sync.WaitGroup
				for range 60 {
					readers.Go(func() { require.Equal(t, 200, b.do(t, "patient-1", "GET", consultations+"/demo", "").status) })
				}
				synctest.Wait()
				start := time.Now()
				require.Equal(t, 201, b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`).status)
				require.Equal(t, c.wait, time.Since(start))
				readers.Wait()
				require.Equal(t, c.most, s.most.Load())
			})
		})
	}
}

// TestOneConsultationDoesNotTakeThePool locks the row of a consultation to which many writes come, of its participants
// and of others.
func TestOneConsultationDoesNotTakeThePool(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, s := withPool(t, 0, 0)
		for _, user := range []string{"patient-1", "student-1"} {
			require.Equal(t, 201, b.do(t, user, "POST", messages, `{"consultationId":"demo","content":"x"}`).status)
		}
		page := b.do(t, "patient-1", "GET", consultations+"/demo", "")
		edited := messages + "/" + page.list("messages")[0].(map[string]any)["id"].(string)
		lock := make(chan struct{})
		s.locked["demo"] = lock

		var writers sync.WaitGroup
		var mu sync.Mutex
		answers := map[int]int{}
		write := func(user, method, target, body string) {
			writers.Go(func() {
				got := do(t, b, user, method, target, body)
				mu.Lock()
				defer mu.Unlock()
				answers[got.status]++
				if got.status == 503 {
					require.NotEmpty(t, got.header.Get("Retry-After"))
				}
			})
		}
		for i := range 20 {
			write("patient-1", "POST", messages, fmt.Sprintf(`{"consultationId":"demo","content":"%d"}`, i))
			write("student-1", "POST", consultations+"/demo/gelesen", `{"seq":1}`)
			write("patient-1", "PATCH", edited, fmt.Sprintf(`{"content":"%d"}`, i))
		}
		synctest.Wait()
		require.LessOrEqual(t, len(s.conns), 3)
		start := time.Now()
		wantProblem(t, b.do(t, "student-2", "POST", messages, `{"consultationId":"done","content":"x"}`), 404, httpadapter.CodeNotFound)
		require.Equal(t, 10*time.Millisecond, time.Since(start))
		close(lock)
		writers.Wait()
		require.Equal(t, 60, answers[201]+answers[200]+answers[503])
		require.Equal(t, 6, answers[503], "of 40 writes of one user 2 are in the store and 32 wait")
		require.Empty(t, s.conns)
	})
}

// TestEveryRequestEnds locks a row for good.
func TestEveryRequestEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, s := withPool(t, 0, 0)
		s.locked["demo"] = make(chan struct{})
		start := time.Now()
		var all sync.WaitGroup
		for range 6 { // some of them wait outside the store
			all.Go(func() {
				got := do(t, b, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`)
				wantProblem(t, got, 503, httpadapter.CodeUnavailable)
				require.NotEmpty(t, got.header.Get("Retry-After"))
			})
		}
		all.Wait()
		require.Equal(t, 30*time.Second, time.Since(start))
		delete(s.locked, "demo")
		require.Equal(t, 201, b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`).status, "the turns were given back")
		require.Empty(t, s.conns)
	})
}

func TestRequestTimeoutOption(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context) error {
			select {
			case <-time.After(time.Minute):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		for timeout, status := range map[time.Duration]int{time.Second: 503, -1: 200, 0: 503, 2 * time.Minute: 200} {
			b := setup(t, func(c *httpadapter.Config) { c.RequestTimeout = timeout })
			b.store.fail = slow
			require.Equal(t, status, b.do(t, "patient-1", "GET", consultations+"/demo", "").status, timeout)
		}
	})
}

// TestAClientThatGoesLeavesTheQueue has writes that wait when their clients go.
func TestAClientThatGoesLeavesTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, s := withPool(t, 0, 0)
		lock := make(chan struct{})
		s.locked["demo"] = lock
		var staying, going sync.WaitGroup
		for range 2 {
			staying.Go(func() {
				require.Equal(t, 201, do(t, b, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`).status)
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithCancelCause(t.Context())
		for range 32 {
			going.Go(func() {
				r := request(ctx, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`)
				require.Equal(t, 499, exchange(t, b, r).status)
			})
		}
		synctest.Wait()
		wantProblem(t, b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`), 503, httpadapter.CodeUnavailable)
		cancel(errors.New("gone"))
		going.Wait()
		staying.Go(func() {
			require.Equal(t, 201, do(t, b, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`).status)
		})
		synctest.Wait()
		close(lock)
		staying.Wait()
	})
}
