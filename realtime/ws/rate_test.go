package ws_test

import (
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/ws"
)

// TestClockIsSetBack takes from a rate before and after somebody has set the clock: nobody has to wait for it.
func TestClockIsSetBack(t *testing.T) {
	t.Parallel()
	rate := ws.Rate{PerSecond: 1, Burst: 2}
	now := time.Now()
	var p ws.Pace
	require.Zero(t, p.Take(rate, now))
	require.Zero(t, p.Take(rate, now))
	require.Equal(t, time.Second, p.Take(rate, now))
	require.Equal(t, 500*time.Millisecond, p.Take(rate, setBack(t, now.Add(500*time.Millisecond))))
	require.False(t, p.Idle(setBack(t, now.Add(time.Second))))
	require.Zero(t, p.Take(rate, setBack(t, now.Add(time.Second))))
	require.True(t, p.Idle(setBack(t, now.Add(3*time.Second))))
}

// setBack returns a time as a clock shows it that was set back by an hour since the process began: the reading of the
// monotonic clock stays. Nothing but the clock itself makes such a time, so this reaches into it.
func setBack(t *testing.T, now time.Time) time.Time {
	t.Helper()
	const hour, nanosecondBits = 3600, 30 // the first word has the seconds above the nanoseconds
	set := now
	*(*uint64)(unsafe.Pointer(&set)) -= hour << nanosecondBits
	if set.Sub(now) != 0 || set.Round(0).Sub(now.Round(0)) != -time.Hour {
		t.Skip("times are made in another way in this version of Go")
	}
	return set
}
