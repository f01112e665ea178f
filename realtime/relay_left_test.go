package realtime_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

func TestRelayTellsTheChannelsThatWereLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		r.queue.add("private.3-a", 0)
		for range 2 { // two reassignments, read in one claim
			r.queue.addLeft("private.3-a", "private.2-a", "private-a")
		}
		_, err := r.relay.Flush(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"new-message 1"}, r.to.received("private.3-a"))
		require.Equal(t, []string{"left 0"}, r.to.received("private.2-a"))
		require.Equal(t, []string{"left 0"}, r.to.received("private-a"))
		require.Zero(t, r.pending())
	})
}

func TestRelayTellsTheChannelsThatWereLeftAfterAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		var down atomic.Bool
		down.Store(true)
		r.to.answers(func(_ context.Context, ev realtime.Event) error {
			if down.Load() && ev.Name == "left" {
				return errors.New("down")
			}
			return nil
		})
		for range 300 { // more than one claim, and old enough for one resync
			r.queue.add("private.2-a", 0)
		}
		r.queue.addLeft("private.2-a", "private-a")
		pass(time.Minute)
		stop := r.run()
		pass(time.Minute)
		require.EqualValues(t, 1, r.pending(), "the notice was given up or the backlog waits for it")
		down.Store(false)
		pass(10 * time.Minute)
		stop()
		require.Zero(t, r.pending())
		require.Contains(t, r.to.received("private-a"), "left 0")
		require.Contains(t, r.to.received("private.2-a"), "resync-required 301")
		require.NotContains(t, r.to.received("private.2-a"), "new-message 1")
	})
}

func TestRelayKeepsTheNoticesThroughAPurge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		r.queue.addLeft("private.3-a", "private-a")
		r.queue.addLeft("private.3-a", "private.2-a", "private-a")
		r.queue.add("private.3-a", 0)
		r.queue.add("private.3-a", 0)
		pass(72 * time.Hour)
		stop := r.run()
		pass(time.Minute)
		require.Equal(t, []string{"left 0"}, r.to.received("private-a"))
		require.Equal(t, []string{"left 0"}, r.to.received("private.2-a"))
		require.Equal(t, []string{"resync-required 4"}, r.to.received("private.3-a"))
		require.Zero(t, r.pending())
		stop()
	})
}

// The notices of a probe are all part of it.
func TestRelayProbesWithTheNotices(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, stop := takenForDown(t)
		r.to.answers(nil)
		r.queue.addLeft("private.3-a", "private.2-a", "private-a")
		pass(2 * time.Minute)
		require.Equal(t, []string{"left 0"}, r.to.received("private-a"))
		require.Equal(t, []string{"left 0"}, r.to.received("private.2-a"))
		require.Zero(t, r.pending())
		require.NoError(t, r.relay.Check(t.Context()))
		stop()
	})
}
