package realtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

// relayed is a relay with what stands on its two sides.
type relayed struct {
	t     *testing.T
	queue *queue
	to    *transport
	relay *realtime.Relay
	log   *bytes.Buffer
}

func newRelayed(t *testing.T, opts realtime.RelayOptions) *relayed {
	t.Helper()
	r := &relayed{t: t, queue: newQueue(), to: &transport{}, log: &bytes.Buffer{}}
	opts.Logger = slog.New(slog.NewTextHandler(r.log, nil))
	var err error
	r.relay, err = realtime.NewRelay(r.queue, r.to, &opts)
	require.NoError(t, err)
	return r
}

// run starts the relay; the result stops it and waits.
func (r *relayed) run() (stop func()) {
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { done <- r.relay.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(r.t, <-done)
	})
	r.t.Cleanup(stop) // also when an assertion fails: a bubble has to end empty
	return stop
}

// commit does what a service does: the entry is written, then the event handed off.
func (r *relayed) commit(ch realtime.Channel) {
	id, ev := r.queue.add(ch, r.relay.Lease())
	r.relay.HandOff(id, ev)
}

func (r *relayed) pending() int64 {
	b, err := r.queue.Backlog(r.t.Context())
	require.NoError(r.t, err)
	return b.Pending
}

func messages(from, to int) []string {
	var want []string
	for i := from; i <= to; i++ {
		want = append(want, fmt.Sprintf("new-message %d", i))
	}
	return want
}

func always(err error) func(context.Context, realtime.Event) error {
	return func(context.Context, realtime.Event) error { return err }
}

func TestRelayNeedsBothSides(t *testing.T) {
	t.Parallel()
	_, err := realtime.NewRelay(nil, &transport{}, nil)
	require.Error(t, err)
	_, err = realtime.NewRelay(newQueue(), nil, nil)
	require.Error(t, err)
}

func TestRelayNeedsLeasesLongerThanAPublish(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]realtime.RelayOptions{
		"a short lease":                       {Lease: 2 * time.Second},
		"a lease of just the timeout":         {Lease: 3 * time.Second},
		"a long timeout":                      {PublishTimeout: 16 * time.Second},
		"a timeout above the lease of claims": {Lease: time.Minute, PublishTimeout: 15 * time.Second},
		"a short lease of claims":             {ClaimLease: 3 * time.Second},
	} {
		_, err := realtime.NewRelay(newQueue(), &transport{}, &opts)
		require.ErrorContains(t, err, "PublishTimeout", name)
	}
	_, err := realtime.NewRelay(newQueue(), &transport{}, &realtime.RelayOptions{
		Lease: 17 * time.Second, ClaimLease: 17 * time.Second, PublishTimeout: 16 * time.Second,
	})
	require.NoError(t, err)
}

func TestRelayKeepsTheOrderOfEachChannel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		r.to.answers(func(context.Context, realtime.Event) error { pass(time.Millisecond); return nil })
		stop := r.run()
		for range 100 {
			for c := range 7 {
				r.commit(realtime.Channel(fmt.Sprintf("private-%d", c)))
			}
		}
		pass(time.Second)
		for c := range 7 {
			require.Equal(t, messages(1, 100), r.to.received(realtime.Channel(fmt.Sprintf("private-%d", c))))
		}
		require.Zero(t, r.pending())
		require.Less(t, r.queue.acks, 20, "acknowledged in batches")
		stop()
	})
}

func TestRelayHandOffNeverBlocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{MaxQueue: 10})
		r.to.answers(func(ctx context.Context, _ realtime.Event) error { <-ctx.Done(); return ctx.Err() })
		stop := r.run()
		begin := time.Now()
		for range 100 {
			r.commit("private-a")
		}
		require.Equal(t, begin, time.Now(), "no time passes in a hand-off")
		r.to.answers(nil)
		pass(time.Minute)
		require.Zero(t, r.pending(), "what found no room was claimed")
		require.NotZero(t, r.to.count())
		stop()
	})
}

func TestRelaySurvivesATransportThatFails(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]func(context.Context, realtime.Event) error{
		"error":   always(errors.New("cut")),
		"hang":    func(ctx context.Context, _ realtime.Event) error { <-ctx.Done(); return ctx.Err() },
		"panic":   func(context.Context, realtime.Event) error { panic("secret text") },
		"refusal": always(&realtime.RefusedError{Err: errors.New("401")}),
		"rate":    always(&realtime.RateLimitError{Err: errors.New("429"), RetryAfter: 20 * time.Second}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRelayed(t, realtime.RelayOptions{CollapseAfter: time.Hour})
				r.to.answers(failure)
				stop := r.run()
				for i := range 8 {
					r.commit(realtime.Channel(fmt.Sprintf("private-%d", i)))
				}
				pass(20 * time.Second)
				require.Zero(t, r.to.count())
				require.EqualValues(t, 8, r.pending())
				stats, err := r.relay.Stats(t.Context())
				require.NoError(t, err)
				require.True(t, stats.Down)
				require.ErrorIs(t, r.relay.Broadcast(t.Context(), realtime.Event{}), realtime.ErrUnavailable)
				require.Less(t, stats.Attempts, int64(40), "a transport that is down is not hammered")

				r.to.answers(nil)
				pass(3 * time.Minute)
				require.Equal(t, 8, r.to.count())
				require.Zero(t, r.pending())
				r.commit("private-a")
				synctest.Wait()
				require.Equal(t, 9, r.to.count(), "the fast way is open again")
				require.NotContains(t, r.log.String(), "secret text")
				stop()
			})
		})
	}
}

func TestRelayParksWhatCanNeverBeSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		stop := r.run()
		r.to.answers(func(_ context.Context, ev realtime.Event) error {
			if ev.Name == "new-message" && string(ev.Data) == "2" {
				return &realtime.PermanentError{Err: errors.New("bad name")}
			}
			return nil
		})
		for range 3 {
			r.commit("private-a")
		}
		r.queue.add("private-b", 0)
		r.queue.add("private-b", 0) // claimed rather than handed off
		pass(10 * time.Second)
		require.Equal(t, []string{"new-message 1", "new-message 3", "resync-required 3"}, r.to.received("private-a"))
		require.Equal(t, []string{"new-message 1", "resync-required 2"}, r.to.received("private-b"))
		require.Len(t, r.queue.parked, 2)
		for _, reason := range r.queue.parked {
			require.Contains(t, reason, "bad name")
		}
		require.Zero(t, r.pending())
		stop()
	})
}

func TestRelaySendsThinWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		r.to.answers(func(_ context.Context, ev realtime.Event) error {
			if ev.Thin != nil {
				return realtime.ErrTooLarge
			}
			return nil
		})
		stop := r.run()
		id, ev := r.queue.add("private-a", r.relay.Lease())
		ev.Thin = []byte(`"thin"`)
		r.relay.HandOff(id, ev)
		pass(time.Second)
		require.Equal(t, []string{`new-message "thin"`}, r.to.received("private-a"))
		require.Zero(t, r.pending())
		stop()
	})
}

// A quota may be the reason why a transport finds the thin form too large, unless
// the event was refused by its own rules.
func TestRelayParksWhatIsTooLargeEvenWhenThin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		r.to.answers(func(_ context.Context, ev realtime.Event) error {
			if ev.Name == "new-message" {
				return fmt.Errorf("%w: %w", realtime.ErrInvalidEvent, realtime.ErrTooLarge)
			}
			return nil
		})
		stop := r.run()
		r.queue.addThin("private-a")
		pass(3 * time.Second)
		require.NoError(t, r.relay.Check(t.Context()))
		require.Len(t, r.queue.parked, 1)
		require.Equal(t, []string{"resync-required 1"}, r.to.received("private-a"))
		stop()
	})
}

func TestRelayCollapsesABacklog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const channels, each = 1000, 100
		r := newRelayed(t, realtime.RelayOptions{})
		r.to.answers(always(errors.New("down")))
		stop := r.run()
		for range each {
			for c := range channels {
				r.queue.add(realtime.Channel(fmt.Sprintf("private-%d", c)), r.relay.Lease())
			}
			pass(3 * time.Hour / each)
		}
		require.EqualValues(t, channels*each, r.pending())
		r.to.answers(nil)
		pass(10 * time.Minute)
		require.Zero(t, r.pending())
		require.Empty(t, r.queue.parked)
		require.LessOrEqual(t, r.to.count(), channels)
		for c := range channels {
			require.Equal(t, []string{"resync-required 100"}, r.to.received(realtime.Channel(fmt.Sprintf("private-%d", c))))
		}
		stop()
	})
}

// An outage that is longer than KeepPending costs no channel its resync.
func TestRelayPurgesAllButOneEntryOfAChannel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{KeepPending: 2 * time.Hour})
		r.to.answers(always(errors.New("down")))
		stop := r.run()
		for range 3 {
			r.queue.add("private-a", 0)
			r.queue.add("private-b", 0)
		}
		pass(119 * time.Minute)
		require.EqualValues(t, 6, r.pending())
		pass(2 * time.Hour)
		require.EqualValues(t, 2, r.pending())
		stats, err := r.relay.Stats(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 4, stats.Purged)
		r.to.answers(nil)
		pass(5 * time.Minute)
		require.Zero(t, r.pending())
		require.Equal(t, []string{"resync-required 3"}, r.to.received("private-a"))
		require.Equal(t, []string{"resync-required 3"}, r.to.received("private-b"))
		stop()
	})
}

func TestRelaySendsAResyncForWhatIsTooOldWhenItStarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		for range 3 {
			r.queue.add("private-a", 0)
		}
		r.queue.add("private-b", 0)
		pass(72 * time.Hour)
		stop := r.run()
		pass(time.Minute)
		require.Zero(t, r.pending())
		require.Equal(t, []string{"resync-required 3"}, r.to.received("private-a"))
		require.Equal(t, []string{"resync-required 1"}, r.to.received("private-b"))
		stop()
	})
}

// An event is parked only when the clients know that they have to fetch.
func TestRelayParksAfterTheResync(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{CollapseAfter: time.Hour})
		var down atomic.Bool
		down.Store(true)
		r.to.answers(func(_ context.Context, ev realtime.Event) error {
			if ev.Name == "new-message" {
				return &realtime.PermanentError{Err: errors.New("bad name")}
			}
			if down.Load() {
				return errors.New("cut")
			}
			return nil
		})
		stop := r.run()
		r.queue.add("private-a", 0)
		pass(10 * time.Second)
		require.Empty(t, r.queue.parked)
		require.EqualValues(t, 1, r.pending())
		down.Store(false)
		pass(time.Minute)
		require.Len(t, r.queue.parked, 1)
		require.Equal(t, []string{"resync-required 1"}, r.to.received("private-a"))
		stop()
	})
}

func TestRelayParksAChannelThatIsRefusedForGood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		r.to.answers(func(_ context.Context, ev realtime.Event) error {
			if ev.Channel == "private-bad" {
				return &realtime.PermanentError{Err: errors.New("bad channel")}
			}
			return nil
		})
		r.queue.add("private-bad", 0)
		r.queue.add("private-bad", 0)
		r.queue.add("private-a", 0)
		pass(time.Hour)
		stop := r.run()
		pass(time.Minute)
		require.Len(t, r.queue.parked, 2)
		require.Equal(t, []string{"resync-required 1"}, r.to.received("private-a"))
		require.Zero(t, r.pending())
		stop()
	})
}

func TestRelayTakesOverFromADeadProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		stop := r.run()
		r.queue.add("private-a", r.relay.Lease()) // written, never handed off
		pass(r.relay.Lease() - time.Second)
		require.Zero(t, r.to.count(), "the lease is the writer's")
		pass(3 * time.Second)
		require.Equal(t, messages(1, 1), r.to.received("private-a"))
		stop()
	})
}

func TestTwoRelaysNeverSendOneClaimTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newRelayed(t, realtime.RelayOptions{})
		b := newRelayed(t, realtime.RelayOptions{})
		second, err := realtime.NewRelay(a.queue, a.to, nil)
		require.NoError(t, err)
		b.relay, b.queue, b.to = second, a.queue, a.to
		stopA, stopB := a.run(), b.run()
		for i := range 2000 {
			a.queue.add(realtime.Channel(fmt.Sprintf("private-%d", i)), 0)
		}
		a.relay.Wake()
		second.Wake()
		pass(time.Minute)
		require.Equal(t, 2000, a.to.count())
		require.Zero(t, a.pending())
		stopA()
		stopB()
	})
}

func TestRelayWakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{Poll: time.Hour})
		stop := r.run()
		synctest.Wait()
		r.queue.add("private-a", 0)
		synctest.Wait()
		require.Zero(t, r.to.count())
		r.relay.Wake()
		synctest.Wait()
		require.Equal(t, 1, r.to.count())
		stop()
	})
}

func TestRelayDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		r.to.answers(func(context.Context, realtime.Event) error { pass(100 * time.Millisecond); return nil })
		stop := r.run()
		for range 10 {
			r.commit("private-a")
		}
		synctest.Wait()
		stop()
		require.Equal(t, messages(1, 10), r.to.received("private-a"), "what was handed off still went out")
		require.Zero(t, r.pending(), "and was acknowledged")
	})
}

func TestRelayGivesBackWhatItCannotFinish(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{Parallel: 1})
		r.to.answers(func(ctx context.Context, _ realtime.Event) error { <-ctx.Done(); return ctx.Err() })
		stop := r.run()
		r.queue.add("private-claimed", 0)
		r.relay.Wake()
		for i := range 3 {
			r.commit(realtime.Channel(fmt.Sprintf("private-%d", i)))
		}
		synctest.Wait()
		begin := time.Now()
		stop()
		require.LessOrEqual(t, time.Since(begin), 5*time.Second)
		require.EqualValues(t, 4, r.pending())
		require.Zero(t, r.queue.leased(), "another process may take them at once")
	})
}

func TestRelayWaitsForAnOutboxThatIsDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		stop := r.run()
		for range 5 {
			r.commit("private-a")
		}
		r.queue.fail(errors.New("database gone"))
		pass(10 * time.Second)
		require.Equal(t, 5, r.to.count())
		r.queue.fail(nil)
		pass(time.Minute)
		require.Zero(t, r.pending())
		stop()
	})
}

// batches is a transport that takes several events in one call.
type batches struct {
	transport
	each  bool // an event that fails does not take the others of its batch with it
	sizes []int
}

func (b *batches) BroadcastBatch(ctx context.Context, evs []realtime.Event) []error {
	b.mu.Lock()
	b.sizes = append(b.sizes, len(evs))
	answer := b.answer
	b.mu.Unlock()
	if answer != nil && !b.each { // all or none
		for _, ev := range evs {
			if err := answer(ctx, ev); err != nil {
				return slices.Repeat([]error{err}, len(evs))
			}
		}
	}
	errs := make([]error, len(evs))
	for i, ev := range evs {
		errs[i] = b.Broadcast(ctx, ev)
	}
	return errs
}

func TestRelayBatches(t *testing.T) {
	t.Parallel()
	to := &batches{}
	q := newQueue()
	relay, err := realtime.NewRelay(q, to, nil)
	require.NoError(t, err)
	r := &relayed{t: t, queue: q, to: &to.transport, relay: relay}
	for i := range 24 {
		r.commit(realtime.Channel(fmt.Sprintf("private-%d", i%12)))
	}
	_, err = relay.Flush(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{10, 10, 4}, to.sizes)
	for i := range 12 {
		require.Equal(t, messages(1, 2), r.to.received(realtime.Channel(fmt.Sprintf("private-%d", i))))
	}
	require.Zero(t, r.pending())

	// One bad event takes none of the others with it.
	r.to.answers(func(_ context.Context, ev realtime.Event) error {
		if ev.Channel == "private-3" {
			return &realtime.PermanentError{Err: errors.New("bad")}
		}
		return nil
	})
	for i := range 5 {
		r.commit(realtime.Channel(fmt.Sprintf("private-%d", i)))
	}
	_, err = relay.Flush(t.Context())
	require.NoError(t, err)
	require.Equal(t, 28, r.to.count())
	require.EqualValues(t, 1, r.pending())
}

func TestRelayAcknowledgesWhatABatchHasSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		to := &batches{each: true}
		q := newQueue()
		relay, err := realtime.NewRelay(q, to, &realtime.RelayOptions{Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		r := &relayed{t: t, queue: q, to: &to.transport, relay: relay}
		to.answers(func(_ context.Context, ev realtime.Event) error {
			if ev.Channel == "private-3" {
				return errors.New("late")
			}
			return nil
		})
		stop := r.run()
		for i := range 10 {
			r.commit(realtime.Channel(fmt.Sprintf("private-%d", i)))
		}
		pass(time.Second)
		require.EqualValues(t, 1, r.pending(), "the one that failed")
		to.answers(nil)
		pass(10 * time.Second)
		require.Zero(t, r.pending())
		for i := range 10 {
			require.Equal(t, messages(1, 1), r.to.received(realtime.Channel(fmt.Sprintf("private-%d", i))), "sent once")
		}
		stop()
	})
}

// miscounting returns a wrong number of errors.
type miscounting struct{ transport }

func (*miscounting) BroadcastBatch(context.Context, []realtime.Event) []error { return nil }

func TestRelayDoesNotTrustABatchWithAWrongNumberOfErrors(t *testing.T) {
	t.Parallel()
	q := newQueue()
	relay, err := realtime.NewRelay(q, &miscounting{}, &realtime.RelayOptions{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	r := &relayed{t: t, queue: q, relay: relay}
	r.commit("private-a")
	r.commit("private-b")
	n, err := relay.Flush(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
	require.EqualValues(t, 2, r.pending())
}

func TestRelaySlowsDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var most, running atomic.Int64
		r := newRelayed(t, realtime.RelayOptions{CollapseAfter: time.Hour})
		stop := r.run()
		load := func() {
			most.Store(0)
			for i := range 200 {
				r.queue.add(realtime.Channel(fmt.Sprintf("private-%d", i)), 0)
			}
			r.relay.Wake()
		}
		r.to.answers(func(context.Context, realtime.Event) error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			pass(time.Millisecond)
			return nil
		})
		load()
		synctest.Wait()
		pass(time.Second)
		require.EqualValues(t, 16, most.Load())

		ok := r.to.answer
		r.to.answers(always(&realtime.RateLimitError{Err: errors.New("429"), RetryAfter: 5 * time.Second}))
		load()
		synctest.Wait()
		r.to.answers(ok)
		most.Store(0)
		pass(5*time.Second + 100*time.Millisecond)
		require.LessOrEqual(t, most.Load(), int64(9), "half of what it was")
		pass(time.Minute)
		require.Zero(t, r.pending())
		stop()
	})
}

// The waits between probes, as the transport asks for them or as they grow.
func TestRelayProbes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer error
		waits  []time.Duration // at least
	}{
		"refusal": {&realtime.RefusedError{Err: errors.New("403")}, []time.Duration{
			time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute}},
		"refusal with a time": {&realtime.RefusedError{Err: errors.New("401"), ProbeAfter: 30 * time.Second}, []time.Duration{
			30 * time.Second, 30 * time.Second}},
		"rate": {&realtime.RateLimitError{Err: errors.New("429")}, []time.Duration{
			time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute}},
		"rate with a time": {&realtime.RateLimitError{Err: errors.New("429"), RetryAfter: 90 * time.Second}, []time.Duration{
			90 * time.Second, 90 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var at []time.Time
				r := newRelayed(t, realtime.RelayOptions{OnAttempt: func(realtime.Attempt) { at = append(at, time.Now()) }})
				r.to.answers(always(c.answer))
				for i := range 20 { // so that one is due at each probe, however long the others have to wait
					r.queue.add(realtime.Channel(fmt.Sprintf("private-%d", i)), time.Duration(i)*time.Second)
				}
				stop := r.run()
				pass(time.Hour)
				stop()
				require.Greater(t, len(at), len(c.waits))
				for i, want := range c.waits {
					got := at[i+1].Sub(at[i])
					require.GreaterOrEqual(t, got, want, "wait %d", i)
					require.Less(t, got, want+3*time.Second, "wait %d", i)
				}
			})
		})
	}
}

func TestRelayTellsOfAttempts(t *testing.T) {
	t.Parallel()
	var attempts []realtime.Attempt
	r := newRelayed(t, realtime.RelayOptions{OnAttempt: func(a realtime.Attempt) { attempts = append(attempts, a) }})
	r.commit("private-a")
	_, err := r.relay.Flush(t.Context())
	require.NoError(t, err)
	require.Len(t, attempts, 1)
	require.Equal(t, 1, attempts[0].Events)
	require.NoError(t, attempts[0].Err)
}

func TestRelayFlush(t *testing.T) {
	t.Parallel()
	r := newRelayed(t, realtime.RelayOptions{})
	for range 3 {
		r.commit("private-a")
	}
	r.queue.add("private-b", 0)
	n, err := r.relay.Flush(t.Context())
	require.NoError(t, err)
	require.Equal(t, 4, n)
	require.Equal(t, messages(1, 3), r.to.received("private-a"))
	require.Zero(t, r.pending())

	r.commit("private-a")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.relay.Flush(over)
	require.ErrorIs(t, err, context.Canceled)
	require.EqualValues(t, 1, r.pending())
}

func TestPublisherWithoutOutbox(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		to := &transport{}
		p, err := realtime.NewPublisher(to, &realtime.PublisherOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, err)
		require.False(t, p.HasOutbox())
		require.Nil(t, p.Enqueue("1.1"))
		ev := realtime.Event{Channel: "private-a", Name: "new-message", Data: []byte(`"canary"`)}

		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		p.Publish(cancelled, 0, ev)
		require.Equal(t, 1, to.count(), "a stored change is told of although the request is over")

		begin := time.Now()
		to.answers(func(ctx context.Context, _ realtime.Event) error { <-ctx.Done(); return ctx.Err() })
		p.Publish(t.Context(), 0, ev)
		require.Equal(t, 2*time.Second, time.Since(begin))
		to.answers(func(context.Context, realtime.Event) error { panic(string(ev.Data)) })
		p.Publish(t.Context(), 0, ev)
		require.Contains(t, log.String(), "event not broadcast")
		require.NotContains(t, log.String(), "canary")
	})
}

func TestPublisherWithOutbox(t *testing.T) {
	t.Parallel()
	r := newRelayed(t, realtime.RelayOptions{Lease: 7 * time.Second})
	p, err := realtime.NewPublisher(r.relay, nil)
	require.NoError(t, err)
	require.True(t, p.HasOutbox())
	require.Equal(t, &realtime.Enqueue{Lease: 7 * time.Second, Except: "1.1"}, p.Enqueue("1.1"))
	id, ev := r.queue.add("private-a", time.Minute)
	p.Publish(t.Context(), id, ev)
	require.Zero(t, r.to.count(), "it is the relay that sends")
	_, err = r.relay.Flush(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, r.to.count())
	require.Zero(t, r.pending())
}

// pass lets time go by in a synctest bubble, where that takes none.
func pass(d time.Duration) { <-time.After(d) }
