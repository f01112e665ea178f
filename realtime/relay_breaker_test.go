package realtime_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
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

// A refusal that meets all calls in flight is one refusal.
func TestRelayTakesABlipForOneRefusal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer error
		within time.Duration
	}{
		"refusal": {&realtime.RefusedError{Err: errors.New("403")}, time.Minute},
		"rate":    {&realtime.RateLimitError{Err: errors.New("429")}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRelayed(t, realtime.RelayOptions{})
				r.to.answers(func(context.Context, realtime.Event) error { pass(150 * time.Millisecond); return c.answer })
				stop := r.run()
				for i := range 16 {
					r.commit(realtime.Channel(fmt.Sprintf("private-%d", i)))
				}
				pass(100 * time.Millisecond)
				r.to.answers(nil)
				pass(100 * time.Millisecond)
				require.ErrorIs(t, r.relay.Check(t.Context()), realtime.ErrUnavailable)
				// A second more for the look into the outbox, and the leases of the hand-offs are over after 5 s.
				pass(max(c.within, 5*time.Second) + 10*time.Second)
				require.NoError(t, r.relay.Check(t.Context()))
				require.Zero(t, r.pending())
				stop()
			})
		})
	}
}

// Answers of calls that began before the breaker opened can put the next probe off, and nothing else.
func TestRelayHonorsTheLongestRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limited := func(d time.Duration) error { return &realtime.RateLimitError{Err: errors.New("429"), RetryAfter: d} }
		answers := []error{
			limited(time.Minute), nil, nil, nil, nil, errors.New("cut"), limited(5 * time.Second), limited(90 * time.Second),
			&realtime.RefusedError{Err: errors.New("403")}, limited(10 * time.Second), nil,
		}
		var calls atomic.Int64
		r := newRelayed(t, realtime.RelayOptions{})
		r.to.answers(func(_ context.Context, ev realtime.Event) error {
			if n := int(calls.Add(1)); n > len(answers) {
				return nil
			}
			var i int
			_, err := fmt.Sscanf(string(ev.Channel), "private-%d", &i)
			if err != nil {
				return err
			}
			pass(100*time.Millisecond + time.Duration(i)*20*time.Millisecond)
			return answers[i]
		})
		stop := r.run()
		for i := range answers {
			r.commit(realtime.Channel(fmt.Sprintf("private-%d", i)))
		}
		pass(80 * time.Second)
		require.EqualValues(t, len(answers), calls.Load(), "no probe before its time")
		require.ErrorIs(t, r.relay.Check(t.Context()), realtime.ErrUnavailable)
		pass(15 * time.Second)
		require.NoError(t, r.relay.Check(t.Context()))
		require.Zero(t, r.pending())
		stop()
	})
}

func TestRelayCapsRetryAfter(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"rate":    &realtime.RateLimitError{Err: errors.New("429"), RetryAfter: math.MaxInt64},
		"refusal": &realtime.RefusedError{Err: errors.New("403"), ProbeAfter: math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRelayed(t, realtime.RelayOptions{})
				r.to.answers(always(err))
				stop := r.run()
				r.queue.add("private-a", 0)
				pass(50 * time.Minute)
				require.ErrorIs(t, r.relay.Check(t.Context()), realtime.ErrUnavailable)
				r.to.answers(nil)
				pass(11 * time.Minute)
				require.NoError(t, r.relay.Check(t.Context()))
				require.Zero(t, r.pending())
				stop()
			})
		})
	}
}

func TestRelayGivesBackWhatItClaimedWhenItIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		r.to.answers(func(context.Context, realtime.Event) error {
			pass(time.Millisecond)
			return &realtime.RefusedError{Err: errors.New("403")}
		})
		stop := r.run()
		for i := range 256 {
			r.queue.add(realtime.Channel(fmt.Sprintf("private-%d", i)), 0)
		}
		r.relay.Wake()
		pass(100 * time.Millisecond)
		stats, err := r.relay.Stats(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 16, stats.Attempts, "those that were under way")
		require.EqualValues(t, 256, stats.Backlog.Pending)
		require.Equal(t, 16, r.queue.leased(), "another process may take the others at once")
		require.NotContains(t, r.log.String(), realtime.ErrUnavailable.Error(), "they were not tried")
		stop()
	})
}

// A hand-off that is a probe and too large is sent thin, as a part of the probe.
func TestRelayProbesWithTheThinForm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, stop := takenForDown(t)
		r.to.answers(func(_ context.Context, ev realtime.Event) error {
			if ev.Thin != nil {
				return realtime.ErrTooLarge
			}
			return nil
		})
		pass(10 * time.Minute)
		id, ev := r.queue.add("private-b", r.relay.Lease())
		ev.Thin = []byte(`"thin"`)
		r.relay.HandOff(id, ev)
		pass(3 * time.Second)
		require.Equal(t, []string{`new-message "thin"`}, r.to.received("private-b"))
		require.NoError(t, r.relay.Check(t.Context()))
		stop()
	})
}
