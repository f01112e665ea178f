package httpadapter_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/httpadapter"
)

// TestReadsTakeTurns has two reads that the store keeps waiting, and two turns. Whoever sends is not concerned.
func TestReadsTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, func(c *httpadapter.Config) { c.MaxReads = 2 })
		goOn := make(chan struct{})
		b.store.fail = func(context.Context) error {
			<-goOn
			return nil
		}
		var busy sync.WaitGroup
		for range 2 {
			busy.Go(func() { do(t, b, "patient-1", "GET", consultations+"/demo", "") })
		}
		synctest.Wait()
		b.store.fail = nil

		auth := `{"socket_id":"1.1","channel_name":"private-consultation-demo"}`
		for _, r := range [][3]string{
			{"GET", consultations + "/demo", ""}, {"GET", consultations + "/demo?since=1", ""}, {"GET", consultations, ""},
			{"HEAD", consultations + "/demo", ""}, {"POST", channelAuth, auth},
		} {
			start := time.Now()
			got := b.do(t, "patient-1", r[0], r[1], r[2])
			require.Equal(t, 2*time.Second, time.Since(start), r)
			require.Equal(t, http.StatusServiceUnavailable, got.status, r)
			seconds, err := strconv.Atoi(got.header.Get("Retry-After"))
			require.NoError(t, err)
			require.True(t, seconds >= 1 && seconds <= 5, seconds)
		}
		require.NotContains(t, b.log.String(), "request failed", "a crowd would fill the log")

		start := time.Now()
		got := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`)
		require.Equal(t, http.StatusCreated, got.status)
		require.Zero(t, time.Since(start))

		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		r := httptest.NewRequestWithContext(ctx, "GET", consultations+"/demo", nil)
		r.Header.Set("Test-User", "patient-1")
		b.ServeHTTP(httptest.NewRecorder(), r)
		require.Equal(t, time.Second, time.Since(start), "the client has gone")

		var waiting sync.WaitGroup
		waiting.Go(func() { got = do(t, b, "patient-1", "POST", channelAuth, auth) })
		synctest.Wait()
		close(goOn)
		busy.Wait()
		waiting.Wait()
		require.Equal(t, http.StatusOK, got.status)
		require.Equal(t, time.Second, time.Since(start), "it had its turn at once")
	})
}

// TestTurnsAreGivenBack has one turn, and requests that end in every way.
func TestTurnsAreGivenBack(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *httpadapter.Config) { c.MaxReads = 1 })
	read := func(user, target string) int { return b.do(t, user, "GET", target, "").status }
	for range 2 {
		require.Equal(t, http.StatusOK, read("patient-1", consultations+"/demo"))
		require.Equal(t, http.StatusUnauthorized, read("", consultations+"/demo"))
		require.Equal(t, http.StatusNotFound, read("patient-2", consultations+"/demo"))
		b.store.fail = func(context.Context) error { panic("a bug of the store's") }
		require.Panics(t, func() { read("patient-1", consultations+"/demo") })
		b.store.fail = nil
	}
}

// TestSlowClientsHoldNoTurn has a client that does not send its whole request, and one that does not read the answer.
func TestSlowClientsHoldNoTurn(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *httpadapter.Config) { c.MaxReads = 1 })
	body, more := io.Pipe()
	slow := httptest.NewRequestWithContext(t.Context(), "POST", channelAuth, body)
	slow.Header = http.Header{"Content-Type": {"application/json"}, "Test-User": {"patient-1"}}
	var both sync.WaitGroup
	both.Go(func() { b.ServeHTTP(httptest.NewRecorder(), slow) })
	_, err := more.Write([]byte("{"))
	require.NoError(t, err)

	mute := &muteWriter{ResponseWriter: httptest.NewRecorder(), writes: make(chan struct{}), goOn: make(chan struct{})}
	r := httptest.NewRequestWithContext(t.Context(), "GET", consultations+"/demo", nil)
	r.Header.Set("Test-User", "patient-1")
	both.Go(func() { b.ServeHTTP(mute, r) })
	<-mute.writes

	require.Equal(t, http.StatusOK, b.do(t, "patient-1", "GET", consultations+"/demo", "").status)
	close(mute.goOn)
	require.NoError(t, more.Close())
	both.Wait()
}

// muteWriter is the answer to a client that does not read.
type muteWriter struct {
	http.ResponseWriter
	writes, goOn chan struct{}
}

func (w *muteWriter) Write(p []byte) (int, error) {
	close(w.writes)
	<-w.goOn
	return w.ResponseWriter.Write(p)
}

func TestReadsWithoutALimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, limit := range []int{-1, 0} {
			b := setup(t, func(c *httpadapter.Config) { c.MaxReads = limit })
			goOn := make(chan struct{})
			b.store.fail = func(context.Context) error {
				<-goOn
				return nil
			}
			var all sync.WaitGroup
			for range httpadapter.DefaultMaxReads {
				all.Go(func() { do(t, b, "patient-1", "GET", consultations+"/demo", "") })
			}
			synctest.Wait()
			b.store.fail = nil
			want := map[int]int{-1: http.StatusOK, 0: http.StatusServiceUnavailable}[limit]
			require.Equal(t, want, b.do(t, "patient-1", "GET", consultations+"/demo", "").status)
			close(goOn)
			all.Wait()
		}
	})
}
