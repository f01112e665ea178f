package httpadapter_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/memstore"
)

// organ is a part whose state a test sets.
type organ struct {
	err   atomic.Pointer[error]
	asked atomic.Int64
}

func (o *organ) is(err error) { o.err.Store(&err) }

func (o *organ) Check(context.Context) error {
	o.asked.Add(1)
	if err := o.err.Load(); err != nil {
		return *err
	}
	return nil
}

// flawed works, but not as it should.
type flawed struct{}

func (flawed) Error() string  { return "synchronous_commit is off" }
func (flawed) Degraded() bool { return true }

func newHealth(t *testing.T, opts *httpadapter.HealthOptions, store, transport httpadapter.Checker) *httpadapter.Health {
	t.Helper()
	h, err := httpadapter.NewHealth([]httpadapter.Part{
		{Name: "store", Checker: store, Vital: true}, {Name: "transport", Checker: transport},
	}, opts)
	require.NoError(t, err)
	return h
}

func TestHealth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var store, transport organ
		var log strings.Builder
		h := newHealth(t, &httpadapter.HealthOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))}, &store, &transport)
		want := func(status int, body string) {
			t.Helper()
			<-time.After(6 * time.Second)
			got := do(t, h, "", "GET", "/healthz", "")
			require.Equal(t, status, got.status)
			require.JSONEq(t, body, got.body)
			require.Equal(t, "no-store", got.header.Get("Cache-Control"))
		}
		want(200, `{"status":"ok","parts":{"store":"ok","transport":"ok"}}`)
		require.Empty(t, log.String())
		transport.is(fmt.Errorf("relay: %w", realtime.ErrUnavailable))
		want(200, `{"status":"degraded","parts":{"store":"ok","transport":"down"}}`)
		require.Contains(t, log.String(), realtime.ErrUnavailable.Error())
		want(200, `{"status":"degraded","parts":{"store":"ok","transport":"down"}}`)
		require.Equal(t, 1, strings.Count(log.String(), "health has changed"), "only changes are logged")
		store.is(errors.New("dial tcp canary: connection refused"))
		want(503, `{"status":"down","parts":{"store":"down","transport":"down"}}`)
		store.is(fmt.Errorf("store: %w", flawed{}))
		transport.is(nil)
		want(200, `{"status":"degraded","parts":{"store":"degraded","transport":"ok"}}`)
		store.is(nil)
		want(200, `{"status":"ok","parts":{"store":"ok","transport":"ok"}}`)
		require.Equal(t, 5, strings.Count(log.String(), "health has changed"))

		asked := store.asked.Load()
		h.Drain()
		want(503, `{"status":"draining","parts":{"store":"ok","transport":"ok"}}`)
		require.Equal(t, asked, store.asked.Load())
	})
}

func TestHealthCannotBeUsedToHammer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var store organ
		release := make(chan struct{})
		h := newHealth(t, nil, &store, httpadapter.CheckerFunc(func(context.Context) error { <-release; return nil }))
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() {
				require.Equal(t, 200, do(t, h, "", "GET", "/healthz", "").status)
			})
		}
		synctest.Wait()
		require.EqualValues(t, 1, store.asked.Load())
		close(release)
		callers.Wait()
		for range 100 {
			require.Equal(t, 200, do(t, h, "", "GET", "/healthz", "").status)
		}
		require.EqualValues(t, 1, store.asked.Load())
		<-time.After(5 * time.Second)
		require.Equal(t, 200, do(t, h, "", "GET", "/healthz", "").status)
		require.EqualValues(t, 2, store.asked.Load())
	})
}

func TestHealthOfPartsThatHangOrPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var stuck atomic.Int64
		hangs := httpadapter.CheckerFunc(func(context.Context) error { stuck.Add(1); <-release; return nil })
		h := newHealth(t, nil, hangs, httpadapter.CheckerFunc(func(context.Context) error { panic("canary") }))
		for range 3 {
			start := time.Now()
			got := do(t, h, "", "GET", "/healthz", "")
			require.Equal(t, 503, got.status)
			require.JSONEq(t, `{"status":"down","parts":{"store":"down","transport":"down"}}`, got.body)
			require.LessOrEqual(t, time.Since(start), 2*time.Second)
			<-time.After(10 * time.Second)
		}
		require.EqualValues(t, 1, stuck.Load(), "checks do not pile up")
		close(release)
		synctest.Wait()
		got := do(t, h, "", "GET", "/healthz", "")
		require.JSONEq(t, `{"status":"degraded","parts":{"store":"ok","transport":"down"}}`, got.body)
	})
}

func TestHealthOfRealParts(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	relay, err := realtime.NewRelay(store, realtime.BroadcasterFunc(func(context.Context, realtime.Event) error { return nil }), nil)
	require.NoError(t, err)
	got := do(t, newHealth(t, nil, store, relay), "", "GET", "/healthz", "")
	require.Equal(t, 200, got.status)
	require.JSONEq(t, `{"status":"degraded","parts":{"store":"ok","transport":"down"}}`, got.body, "the relay does not run")
	head := do(t, newHealth(t, nil, store, relay), "", http.MethodHead, "/healthz", "")
	require.Equal(t, 200, head.status)
	post := do(t, newHealth(t, nil, store, relay), "", http.MethodPost, "/healthz", "")
	require.Equal(t, 405, post.status)
	require.Equal(t, "GET, HEAD", post.header.Get("Allow"))
}

func TestHealthNeedsParts(t *testing.T) {
	t.Parallel()
	for _, parts := range [][]httpadapter.Part{
		nil, {{Name: "store"}}, {{Checker: memstore.New()}},
		{{Name: "store", Checker: memstore.New()}, {Name: "store", Checker: memstore.New()}},
	} {
		_, err := httpadapter.NewHealth(parts, nil)
		require.Error(t, err)
	}
}
