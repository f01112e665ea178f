package ws_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// TestRefusedBySweep uses grants from before the host was asked, and later ones.
func TestRefusedBySweep(t *testing.T) {
	t.Parallel()
	var h *host
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		member := &realtime.Member{UserID: "student"}
		old := f.grantFor(c, private, member)
		require.NoError(t, c.Subscribe(t.Context(), private, old))
		h.set(func() { h.denied[realtime.Listener{UserID: "student", Channel: private}] = true })
		require.Equal(t, revoked(private), next(t, c))
		h.set(func() { clear(h.denied) })
		var refused *realtimetest.RefusedError
		for range 2 {
			require.ErrorAs(t, c.Subscribe(t.Context(), private, old), &refused)
			require.Contains(t, string(refused.Data), "No longer authorized")
			pass(time.Second)
		}
		require.NoError(t, c.Subscribe(t.Context(), private, f.grantFor(c, private, member)))
		pass(15 * time.Second)
		silent(t, c)
	}, func(c *ws.Config) {
		h = &host{denied: map[realtime.Listener]bool{}}
		c.Authorize, c.AuthorizeInterval = h.Authorize, 10*time.Second
	})
}

// TestLateAnswerOfSweep has the host take three seconds for its answer, in which it decides anew: subscriptions that rest
// on that stay.
func TestLateAnswerOfSweep(t *testing.T) {
	t.Parallel()
	var asked, answer chan struct{}
	inBubble(t, func(t *testing.T, f *fixture) {
		early, soon, late := f.connect(), f.connect(), f.connect()
		member := &realtime.Member{UserID: "student"}
		f.join(early, private, "student")
		<-asked
		pass(500 * time.Millisecond)
		soonest := f.grantFor(soon, private, member) // within the second in which an endpoint may not know yet
		require.NoError(t, soon.Subscribe(t.Context(), private, soonest))
		pass(time.Second)
		grant := f.grantFor(late, private, member)
		require.NoError(t, late.Subscribe(t.Context(), private, grant))
		pass(1500 * time.Millisecond)
		close(answer)
		require.Equal(t, revoked(private), next(t, early))
		require.Equal(t, revoked(private), next(t, soon))
		silent(t, late)
		require.EqualValues(t, 2, f.Stats().EndedSubscriptions)

		require.NoError(t, late.Unsubscribe(t.Context(), private))
		require.NoError(t, late.Subscribe(t.Context(), private, grant))
		require.Error(t, soon.Subscribe(t.Context(), private, soonest))
	}, func(c *ws.Config) {
		asked, answer = make(chan struct{}), make(chan struct{})
		c.AuthorizeInterval = 10 * time.Second
		c.Authorize = func(_ context.Context, batch []realtime.Listener) ([]bool, error) {
			close(asked)
			<-answer
			return make([]bool, len(batch)), nil
		}
	})
}

// TestSweepOfASlowHost has a host that answers about 40 at most, and hangs otherwise: it has ten seconds, and is asked about
// fewer then. Everybody stays meanwhile.
func TestSweepOfASlowHost(t *testing.T) {
	t.Parallel()
	const n = 200
	type call struct {
		size  int
		after time.Duration // the one before
	}
	var h *host
	var calls []call
	most := 40 // in one call, or it hangs
	inBubble(t, func(t *testing.T, f *fixture) {
		var clients []*realtimetest.Client
		for range 2 {
			c := f.connect()
			clients = append(clients, c)
			for i := range n / 2 {
				f.join(c, realtime.Channel(fmt.Sprint("private-", len(clients), "-", i)), "ann")
			}
		}
		h.set(func() { h.denied[realtime.Listener{UserID: "ann", Channel: "private-1-0"}] = true })
		answerPings(t, clients...)
		pass(12 * time.Second) // it is asked for the first time
		require.Equal(t, []int{n, 2}, []int{f.Stats().Subscriptions, f.Stats().Connections})
		pass(8 * time.Second) // and hangs with the second call
		require.Equal(t, []int{n, 2}, []int{f.Stats().Subscriptions, f.Stats().Connections})
		pass(15 * time.Second)
		require.EqualValues(t, 1, f.Stats().EndedSubscriptions)
		h.set(func() {
			require.Equal(t, n, calls[0].size)
			require.Equal(t, []call{
				{50, 10 * time.Second}, {31, 10 * time.Second}, {31, 0}, {31, 0}, {31, 0}, {31, 0}, {31, 0}, {14, 0},
			}, calls[1:])
		})
		h.set(func() { calls = nil })
		pass(25 * time.Second)
		h.set(func() {
			require.Equal(t, 31, calls[0].size, "it need not hang again for that to be known")
			require.True(t, slices.ContainsFunc(calls, func(c call) bool { return c.size == 38 }), "little by little more")
			most, calls = 0, nil
		})
		pass(90 * time.Second)
		h.set(func() {
			require.Greater(t, len(calls), 3)
			for _, c := range calls[2:] { // the first round tries with fewer
				require.GreaterOrEqual(t, c.after, 18*time.Second, "a round that hangs is over, and there is a pause")
			}
		})
	}, unhurried, func(c *ws.Config) {
		h, calls = &host{denied: map[realtime.Listener]bool{}}, nil
		c.AuthorizeInterval = 10 * time.Second
		last := time.Now()
		c.Authorize = func(ctx context.Context, batch []realtime.Listener) ([]bool, error) {
			hangs := false
			h.set(func() {
				calls = append(calls, call{len(batch), time.Since(last)})
				last, hangs = time.Now(), len(batch) > most
			})
			if hangs {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return h.Authorize(ctx, batch)
		}
	})
}

// TestSweepIsSpread asks a hundred times: the time between two rounds is what is configured, give or take a fifth.
func TestSweepIsSpread(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var rounds []time.Time
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		f.join(c, private, "ann")
		answerPings(t, c)
		pass(20 * time.Minute)
		mu.Lock()
		defer mu.Unlock()
		require.Greater(t, len(rounds), 100)
		least, most := time.Hour, time.Duration(0)
		for i, at := range rounds[1:] {
			least, most = min(least, at.Sub(rounds[i])), max(most, at.Sub(rounds[i]))
		}
		require.GreaterOrEqual(t, least, 8*time.Second)
		require.Less(t, least, 9*time.Second)
		require.Greater(t, most, 11*time.Second)
		require.LessOrEqual(t, most, 12*time.Second)
	}, func(c *ws.Config) {
		c.AuthorizeInterval = 10 * time.Second
		c.Authorize = func(_ context.Context, batch []realtime.Listener) ([]bool, error) {
			mu.Lock()
			defer mu.Unlock()
			rounds = append(rounds, time.Now())
			allowed := make([]bool, len(batch))
			for i := range allowed {
				allowed[i] = true
			}
			return allowed, nil
		}
	})
}
