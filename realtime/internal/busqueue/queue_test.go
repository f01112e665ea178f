package busqueue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/busqueue"
)

var (
	errFull   = errors.New("test: full")
	errRefuse = errors.New("refused")
)

// engine takes batches when it is told to.
type engine struct {
	release chan error // what every frame of the next batch gets
	batches [][]string // shard and frame
}

// start makes a queue over an engine, and starts it. It is for a bubble, which
// fails if the queue's goroutine stays.
func start(batch int) (*busqueue.Queue, *engine) {
	e := &engine{release: make(chan error)}
	q := busqueue.New(busqueue.Config{Name: "test", Full: errFull, Batch: batch, Send: e.send})
	_ = q.Start("channel") // it fails only for a queue that is started
	return q, e
}

func (e *engine) send(channel string, payloads [][]byte) []error {
	var frames []string
	for _, p := range payloads {
		shard, frame, ok := busqueue.Open(p)
		frames = append(frames, fmt.Sprintf("%s %d %s %t", channel, shard, frame, ok))
	}
	err := <-e.release
	e.batches = append(e.batches, frames)
	errs := make([]error, len(payloads))
	for i := range errs {
		errs[i] = err
	}
	return errs
}

// publish publishes in a goroutine of its own and returns when that waits.
func publish(ctx context.Context, q *busqueue.Queue, frame string) <-chan error {
	done := make(chan error, 1)
	go func() { done <- q.Publish(ctx, 3, []byte(frame), 100) }()
	synctest.Wait()
	return done
}

func TestBatchesKeepTheOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, e := start(2)
		var done []<-chan error
		for i := range 4 {
			done = append(done, publish(t.Context(), q, fmt.Sprint(i)))
		}
		e.release <- nil
		require.NoError(t, <-done[0])
		e.release <- errRefuse
		require.ErrorIs(t, <-done[1], errRefuse)
		require.EqualError(t, <-done[2], "test: publish: refused")
		e.release <- nil
		require.NoError(t, <-done[3])
		// What comes while a batch is under way goes into the next one.
		require.Equal(t, [][]string{{"channel 3 0 true"}, {"channel 3 1 true", "channel 3 2 true"}, {"channel 3 3 true"}}, e.batches)
	})
}

func TestWhatWaitsIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, e := start(busqueue.Max)
		first := publish(t.Context(), q, "under way")
		ctx, cancel := context.WithCancel(t.Context())
		var done []<-chan error
		for range busqueue.Max {
			done = append(done, publish(ctx, q, "waits"))
		}
		err := q.Publish(t.Context(), 3, nil, 100)
		require.ErrorIs(t, err, errFull)
		require.EqualError(t, err, errFull.Error())
		cancel()
		for _, d := range done {
			require.ErrorIs(t, <-d, context.Canceled)
		}
		next := publish(t.Context(), q, "has room")
		e.release <- nil
		e.release <- nil
		require.NoError(t, errors.Join(<-first, <-next))
		require.Equal(t, [][]string{{"channel 3 under way true"}, {"channel 3 has room true"}}, e.batches) // and not what was withdrawn
	})
}

func TestPublishReturnsWhileSendBlocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, e := start(1)
		ctx, cancel := context.WithCancel(t.Context())
		done := publish(ctx, q, "under way")
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		e.release <- nil
	})
}

func TestPublishRefuses(t *testing.T) {
	t.Parallel()
	q, _ := start(1)
	require.ErrorIs(t, q.Publish(t.Context(), 0, make([]byte, 101), 100), realtime.ErrTooLarge)
	require.ErrorContains(t, q.Publish(t.Context(), realtime.BusShards, nil, 100), "no shard 16")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, q.Publish(ctx, 0, nil, 100), context.Canceled)
}

func TestStopFailsWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, e := start(1)
		require.EqualError(t, q.Start("channel"), "test: the bus runs already")
		first, second := publish(t.Context(), q, "under way"), publish(t.Context(), q, "waits")
		q.Stop()
		require.ErrorIs(t, <-second, busqueue.ErrStopped)
		require.ErrorIs(t, q.Publish(t.Context(), 3, nil, 100), busqueue.ErrStopped)
		require.NoError(t, q.Start("another"))
		third := publish(t.Context(), q, "in time")
		e.release <- nil
		e.release <- nil
		require.NoError(t, errors.Join(<-first, <-third))
		require.Equal(t, [][]string{{"channel 3 under way true"}, {"another 3 in time true"}}, e.batches)
	})
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{"", "\x10", "\xff frame"} {
		_, _, ok := busqueue.Open([]byte(payload))
		require.False(t, ok, "%q", payload)
	}
	shard, frame, ok := busqueue.Open([]byte{15})
	require.True(t, ok)
	require.EqualValues(t, 15, shard)
	require.Empty(t, frame)
}
