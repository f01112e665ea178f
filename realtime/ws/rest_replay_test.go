package ws_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/ws"
)

func TestServedCallsAreRemembered(t *testing.T) {
	t.Parallel()
	first, _ := ws.FirstServed(10)
	now := time.Unix(10_000, 0)
	require.True(t, first("a", 10_600, now)) // signed by a clock that is ten minutes ahead
	require.True(t, first("b", 10_000, now))
	for _, later := range []time.Duration{0, 600 * time.Second, 1200 * time.Second} {
		require.False(t, first("a", 10_600, now.Add(later)), later)
	}
	require.True(t, first("a", 10_601, now))
}

// TestServedCallsUnderAFlood fills the memory: what is forgotten is refused, and what is new is served.
func TestServedCallsUnderAFlood(t *testing.T) {
	t.Parallel()
	first, size := ws.FirstServed(100)
	at := func(i int) time.Time { return time.Unix(10_000+int64(i/10), 0) }
	for i := range 1000 {
		require.True(t, first(strconv.Itoa(i), at(i).Unix(), at(i)), i)
		require.LessOrEqual(t, size(), 100)
	}
	now := at(999)
	for i := range 1000 {
		require.False(t, first(strconv.Itoa(i), at(i).Unix(), now), i)
	}
	require.False(t, first("late", now.Unix()-20, now))
	require.True(t, first("new", now.Unix()+1, now))
}

// TestServedCallsOfAWrongClock has a publisher whose clock is far ahead, or behind, fill the memory: it shuts nobody out
// but itself, and nothing of its own is served twice.
func TestServedCallsOfAWrongClock(t *testing.T) {
	t.Parallel()
	for _, wrong := range []int64{590, -590} {
		first, size := ws.FirstServed(100)
		refused := 0
		for i := range 1000 {
			now := time.Unix(10_000+int64(i/10), 0)
			if !first("wrong"+strconv.Itoa(i), now.Unix()+wrong, now) {
				refused++
			}
			require.False(t, first("wrong"+strconv.Itoa(i), now.Unix()+wrong, now))
			require.True(t, first("right"+strconv.Itoa(i), now.Unix(), now), i)
			require.False(t, first("right"+strconv.Itoa(i), now.Unix(), now), i)
			require.LessOrEqual(t, size(), 100)
		}
		require.NotZero(t, refused)
	}
}

func TestServedCallsExpire(t *testing.T) {
	t.Parallel()
	first, size := ws.FirstServed(1_000_000)
	for i := range 1000 {
		now := time.Unix(10_000+int64(i)*10, 0)
		require.True(t, first("same", now.Unix(), now))
		require.True(t, first("old", now.Unix()-600, now))
		require.False(t, first("same", now.Unix(), now))
		require.LessOrEqual(t, size(), 2*62) // those of the last ten minutes, one each 10 s, and the old ones
	}
}

func TestServedCallsAtOnce(t *testing.T) {
	t.Parallel()
	first, _ := ws.FirstServed(100)
	var served atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 50 {
				if first(strconv.Itoa(i), 10_000, time.Unix(10_000, 0)) {
					served.Add(1)
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 50, served.Load())
}
