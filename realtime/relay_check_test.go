package realtime_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

func TestARelayRunsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		stop := r.run()
		synctest.Wait()
		require.ErrorContains(t, r.relay.Run(t.Context()), "run before", "while it runs")
		require.NoError(t, r.relay.Check(t.Context()), "the first is not disturbed")
		stop()
		require.ErrorContains(t, r.relay.Run(t.Context()), "run before", "and after")

		for range 100 {
			r.commit("private-late")
		}
		require.Zero(t, r.relay.LeftForDrain(), "nothing grows when nobody drains any more")
		require.EqualValues(t, 100, r.pending())
	})
}

func TestCheckOfARelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		require.ErrorContains(t, r.relay.Check(t.Context()), "does not run")
		stop := r.run()
		synctest.Wait()
		require.NoError(t, r.relay.Check(t.Context()))

		r.to.answers(always(errors.New("down")))
		for range 5 {
			r.commit("private-a")
		}
		pass(10 * time.Second)
		require.ErrorIs(t, r.relay.Check(t.Context()), realtime.ErrUnavailable)
		r.to.answers(always(nil))
		pass(time.Minute)
		require.NoError(t, r.relay.Check(t.Context()))

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, r.relay.Check(ended), context.Canceled)
		stop()
		require.ErrorContains(t, r.relay.Check(t.Context()), "does not run")
	})
}

// One call that hangs stops neither the delivery nor the word about it.
func TestRelaySurvivesAnOutboxThatHangs(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"Claim", "Ack", "AckThrough", "Nack", "Purge"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRelayed(t, realtime.RelayOptions{Parallel: 1})
				r.to.answers(func(_ context.Context, ev realtime.Event) error {
					if ev.Channel == "private-fails" { // for the sake of Nack
						return errors.New("cut")
					}
					return nil
				})
				for range 11 { // for the sake of AckThrough
					r.queue.add("private-many", 0)
				}
				r.queue.add("private-fails", 0)
				r.queue.add("private-sent", 0) // for the sake of Ack
				r.queue.hang(method)
				stop := r.run()
				pass(10 * time.Second)
				err := r.relay.Check(t.Context())
				if method == "Claim" || method == "Ack" {
					require.ErrorContains(t, err, "outbox")
					require.ErrorIs(t, err, context.DeadlineExceeded)
				} else {
					require.NoError(t, err)
				}
				r.queue.hang("")
				r.to.answers(nil)
				pass(time.Minute)
				require.NoError(t, r.relay.Check(t.Context()))
				require.Zero(t, r.pending())
				stop()
			})
		})
	}
}

// A store may even ignore the end of its context.
func TestCheckSaysThatTheOutboxDoesNotAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		r.queue.deaf = make(chan struct{})
		r.queue.hang("Claim")
		stop := r.run()
		pass(4 * time.Second)
		require.NoError(t, r.relay.Check(t.Context()), "it still may")
		pass(2 * time.Hour)
		require.ErrorContains(t, r.relay.Check(t.Context()), "outbox does not answer")
		r.queue.hang("")
		close(r.queue.deaf)
		pass(3 * time.Second)
		require.NoError(t, r.relay.Check(t.Context()))
		stop()
	})
}

func TestCheckReportsAnOutboxThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		gone := errors.New("database gone")
		r.queue.fail(gone)
		stop := r.run()
		pass(10 * time.Second)
		require.ErrorIs(t, r.relay.Check(t.Context()), gone)
		require.NotErrorIs(t, r.relay.Check(t.Context()), realtime.ErrUnavailable, "the transport is well")
		r.queue.fail(nil)
		pass(3 * time.Second)
		require.NoError(t, r.relay.Check(t.Context()))
		stop()
	})
}

func TestRelayLeavesTimeForAPublishAfterASlowClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{ClaimLease: 4 * time.Second, Lease: 4 * time.Second})
		r.queue.hang("Claim")
		stop := r.run()
		pass(1100 * time.Millisecond)
		require.ErrorIs(t, r.relay.Check(t.Context()), context.DeadlineExceeded, "after ClaimLease less PublishTimeout")
		r.queue.hang("")
		stop()
	})
}
