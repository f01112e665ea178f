package httpadapter_test

import (
	"context"
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

// TestReconnectingClientsTakeTurns has two requests that the store keeps waiting, and two turns. Whoever sends is not
// concerned.
func TestReconnectingClientsTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, func(c *httpadapter.Config) { c.MaxReconnecting = 2 })
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
			{"HEAD", consultations + "/demo", ""}, {"POST", channelAuth, auth}, {"POST", userAuth, `{"socket_id":"1.1"}`},
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

func TestReconnectingClientsWithoutALimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, limit := range []int{-1, 0} {
			b := setup(t, func(c *httpadapter.Config) { c.MaxReconnecting = limit })
			goOn := make(chan struct{})
			b.store.fail = func(context.Context) error {
				<-goOn
				return nil
			}
			var all sync.WaitGroup
			for range httpadapter.DefaultMaxReconnecting {
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
