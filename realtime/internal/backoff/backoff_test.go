package backoff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/internal/backoff"
)

func TestWaitsGrowAndDiffer(t *testing.T) {
	t.Parallel()
	const lowest, highest = 100 * time.Millisecond, 5 * time.Second
	for failed, want := range []time.Duration{100, 200, 400, 800, 1600, 3200, 5000, 5000} {
		want *= time.Millisecond
		seen := map[time.Duration]bool{}
		for range 50 {
			got := backoff.Wait(lowest, highest, failed)
			require.GreaterOrEqual(t, got, want/2, "after %d", failed)
			require.LessOrEqual(t, got, want, "after %d", failed)
			seen[got] = true
		}
		require.Greater(t, len(seen), 1, "the wait after %d is always the same", failed)
	}
	require.LessOrEqual(t, backoff.Wait(lowest, highest, 1<<20), highest)
}
