package realtime_test

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

func TestLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			rate  realtime.Rate
			burst int
			every time.Duration
		}{
			{realtime.Rate{}, 3, 500 * time.Millisecond}, // the default
			{realtime.Rate{Burst: 5}, 5, 500 * time.Millisecond},
			{realtime.Rate{PerSecond: 4}, 4, 250 * time.Millisecond},
			{realtime.Rate{PerSecond: 0.25}, 1, 4 * time.Second},
			{realtime.Rate{PerSecond: 1, Burst: 2}, 2, time.Second},
		} {
			l, err := realtime.NewLimiter(c.rate, realtime.Rate{PerSecond: 2, Burst: 3})
			require.NoError(t, err)
			for range c.burst {
				require.Zero(t, l.Take("paula"), c)
			}
			require.Equal(t, c.every, l.Take("paula"), c)
			require.Zero(t, l.Take("stefan"), "each user has a bucket of their own")
			l.GiveBack("paula")
			require.Zero(t, l.Take("paula"), c)
			<-time.After(c.every - 1)
			require.EqualValues(t, 1, l.Take("paula"), c)
			<-time.After(1)
			require.Zero(t, l.Take("paula"), c)
		}
	})
}

func TestALimiterWithoutALimit(t *testing.T) {
	t.Parallel()
	none, err := realtime.NewLimiter(realtime.Rate{PerSecond: -1}, realtime.Rate{PerSecond: 1, Burst: 1})
	require.NoError(t, err)
	for _, l := range []*realtime.Limiter{nil, none} {
		for range 100 {
			require.Zero(t, l.Take("paula"))
		}
		l.GiveBack("paula")
	}
	for _, r := range []realtime.Rate{{PerSecond: math.NaN()}, {PerSecond: 1e-9}, {PerSecond: 1, Burst: 10_001}, {PerSecond: 1, Burst: -1}} {
		_, err := realtime.NewLimiter(r, realtime.Rate{PerSecond: 1, Burst: 1})
		require.Error(t, err, r)
	}
	_, err = realtime.NewLimiter(realtime.Rate{PerSecond: math.Inf(1)}, realtime.Rate{PerSecond: 1, Burst: 1})
	require.NoError(t, err)
}

func TestALimiterForgetsIdleUsers(t *testing.T) {
	t.Parallel()
	l, err := realtime.NewLimiter(realtime.Rate{PerSecond: 0.001, Burst: 1}, realtime.Rate{})
	require.NoError(t, err)
	l.Narrow(10)
	require.Zero(t, l.Take("paula"))
	for i := range 1000 {
		require.Zero(t, l.Take(fmt.Sprint("user-", i)))
		require.NotZero(t, l.Take("paula"), "a user who tries again and again is not forgotten")
		require.LessOrEqual(t, l.Known(), 20)
	}
}
