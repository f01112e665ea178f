package inmem_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/inmem"
)

// notes is a handler that writes down what it is told.
type notes struct {
	mu  sync.Mutex
	all []string
}

func (n *notes) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, fmt.Sprintf(format, args...))
}

func (n *notes) Frame(shard uint8, frame []byte) { n.add("%d %s", shard, frame) }
func (n *notes) Up()                             { n.add("up") }
func (n *notes) Down(err error)                  { n.add("down: %v", err) }

// taken returns the notes, and forgets them, when everything has come to rest.
func (n *notes) taken() []string {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.all
	n.all = nil
	return all
}

// run runs b under one name until the test ends.
func run(t *testing.T, b *inmem.Bus) *notes {
	n := new(notes)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx, "name", n) }()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
	synctest.Wait()
	return n
}

func TestBusFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		one, two := hub.Node(), hub.Node()
		first, second := run(t, one), run(t, two)
		publish := func(b *inmem.Bus, text string) error { return b.Publish(t.Context(), 3, []byte(text)) }
		require.NoError(t, publish(one, "a"))
		require.Equal(t, []string{"up", "3 a"}, first.taken())
		require.Equal(t, []string{"up", "3 a"}, second.taken())

		two.Partition()
		require.NoError(t, publish(one, "b"))
		require.ErrorIs(t, publish(two, "c"), inmem.ErrUnreachable)
		require.Equal(t, []string{"3 b"}, first.taken())
		require.Equal(t, []string{"down: inmem: the engine cannot be reached"}, second.taken())
		two.Heal()
		synctest.Wait()
		require.NoError(t, publish(one, "d"))
		require.Equal(t, []string{"up", "3 d"}, second.taken())
		require.Equal(t, []string{"3 d"}, first.taken())

		two.Drop(2)
		for _, text := range []string{"e", "f", "g"} {
			require.NoError(t, publish(two, text))
		}
		require.Equal(t, []string{"3 e", "3 f", "3 g"}, first.taken())
		require.Equal(t, []string{"3 g"}, second.taken())

		two.Hang()
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 2)
		go func() { results <- two.Publish(ctx, 3, nil) }()
		synctest.Wait()
		require.Empty(t, results)
		cancel()
		require.ErrorIs(t, <-results, context.Canceled)
		go func() { results <- two.Publish(t.Context(), 3, nil) }()
		synctest.Wait()
		two.Heal()
		require.ErrorIs(t, <-results, inmem.ErrUnreachable)
		require.Equal(t, []string{"down: inmem: the engine cannot be reached", "up"}, second.taken())
		require.Empty(t, first.taken())
	})
}

func TestBusOverflow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		b := hub.Node()
		n := run(t, b)
		require.Equal(t, []string{"up"}, n.taken())
		b.Pause()
		for range inmem.BusQueue + 3 {
			require.NoError(t, b.Publish(t.Context(), 0, []byte("x")))
		}
		require.Empty(t, n.taken())
		b.Resume()
		all := n.taken()
		require.Len(t, all, inmem.BusQueue+2)
		require.Equal(t, []string{"down: inmem: frames were lost because the handler is too slow", "up"}, all[inmem.BusQueue:])
	})
}

func TestBusRunsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		b := hub.Node()
		run(t, b)
		require.ErrorContains(t, b.Run(t.Context(), "name", new(notes)), "runs already")
		require.ErrorContains(t, b.Publish(t.Context(), 16, nil), "no shard 16")
	})
}

func TestBusInject(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		n := run(t, hub.Node())
		hub.Inject("name", 3, []byte("a"))
		hub.Inject("other", 3, []byte("b"))
		require.Equal(t, []string{"up", "3 a"}, n.taken())
	})
}
