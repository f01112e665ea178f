package realtime_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

// takenForDown makes a relay that runs, and whose transport has refused an event that another process has sent then.
func takenForDown(t *testing.T) (r *relayed, stop func()) {
	t.Helper()
	r = newRelayed(t, realtime.RelayOptions{})
	r.to.answers(always(&realtime.RefusedError{Err: errors.New("401")}))
	stop = r.run()
	r.handOffSentByAnother()
	require.ErrorIs(t, r.relay.Check(t.Context()), realtime.ErrUnavailable)
	return r, stop
}

// handOffSentByAnother hands an event off that another process has sent when the relay has dealt with it.
func (r *relayed) handOffSentByAnother() {
	id, ev := r.queue.add("private-a", time.Hour)
	r.relay.HandOff(id, ev)
	synctest.Wait()
	require.NoError(r.t, r.queue.Ack(r.t.Context(), id))
}

// A single message is all there is to probe with.
func TestRelayRecoversInQuietTimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		r.to.answers(always(&realtime.RefusedError{Err: errors.New("401")}))
		stop := r.run()
		r.commit("private-a")
		pass(time.Second)
		require.ErrorIs(t, r.relay.Check(t.Context()), realtime.ErrUnavailable)

		r.to.answers(nil)
		pass(5 * time.Minute)
		require.Equal(t, 1, r.to.count())
		require.NoError(t, r.relay.Check(t.Context()), "one probe has succeeded and there is nothing else to try")
		r.commit("private-b")
		synctest.Wait()
		require.Equal(t, 2, r.to.count(), "the fast way is open again")
		stop()
	})
}

// The relay of another process has sent what was left: there is nothing to probe with at all.
func TestRelayProbesWithAHandOffWhenTheOutboxIsEmpty(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, stop := takenForDown(t)
		attempts := func() int64 {
			stats, err := r.relay.Stats(t.Context())
			require.NoError(t, err)
			return stats.Attempts
		}
		require.EqualValues(t, 1, attempts())
		r.handOffSentByAnother()
		require.EqualValues(t, 1, attempts(), "no probe before its time")
		pass(10 * time.Minute)
		require.ErrorIs(t, r.relay.Check(t.Context()), realtime.ErrUnavailable, "an empty outbox is no success")

		before := attempts()
		for range 10 {
			r.commit("private-b")
		}
		synctest.Wait()
		require.Equal(t, before+1, attempts(), "one probe at a time")

		r.to.answers(nil)
		pass(10 * time.Minute)
		require.Zero(t, r.pending())
		require.NoError(t, r.relay.Check(t.Context()))
		stop()
	})
}

func TestRelayHandOffClosesTheBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, stop := takenForDown(t)
		r.to.answers(nil)
		pass(10 * time.Minute)
		require.Zero(t, r.to.count())

		r.commit("private-b")
		synctest.Wait()
		require.Equal(t, 1, r.to.count(), "sent at once, as the probe")
		pass(3 * time.Second)
		require.NoError(t, r.relay.Check(t.Context()))
		stop()
	})
}
