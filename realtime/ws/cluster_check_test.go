package ws_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/inmem"
)

// requireDegraded checks that the node says reason, and that it works.
func requireDegraded(t *testing.T, node *peer, reason string) {
	t.Helper()
	err := node.Check(t.Context())
	require.ErrorContains(t, err, reason)
	var degraded interface{ Degraded() bool }
	require.ErrorAs(t, err, &degraded)
	require.True(t, degraded.Degraded())
}

// TestClusterCheckOneWay lets one node hear everything of the third but not be
// heard by it.
func TestClusterCheckOneWay(t *testing.T) {
	t.Parallel()
	inCluster(t, 3, func(t *testing.T, nodes []*peer) {
		nodes[0].engine.unheardBy.Store(nodes[2].engine)
		pass(7 * time.Second)
		for _, n := range nodes {
			require.NoError(t, n.Check(t.Context()))
		}
		pass(6 * time.Second)
		requireDegraded(t, nodes[2], "lost a node without a word")
		pass(20 * time.Second)
		requireDegraded(t, nodes[2], "nodes that others hear and this one does not: 1;")
		requireDegraded(t, nodes[0], "nodes that do not hear this one: 1 of 2;")
		require.NoError(t, nodes[1].Check(t.Context()))
		pass(2 * time.Minute)
		requireDegraded(t, nodes[2], "nodes that others hear and this one does not: 1;")
		requireDegraded(t, nodes[0], "nodes that do not hear this one: 1 of 2;")

		nodes[0].engine.unheardBy.Store(nil)
		pass(6 * time.Second)
		for _, n := range nodes {
			require.NoError(t, n.Check(t.Context()))
			require.Equal(t, 2, n.Stats().Nodes)
		}
	})
}

func TestClusterCheckAfterADeath(t *testing.T) {
	t.Parallel()
	inCluster(t, 3, func(t *testing.T, nodes []*peer) {
		nodes[0].bus.Partition()
		pass(15 * time.Second)
		for _, n := range nodes[1:] {
			requireDegraded(t, n, "lost a node without a word: it died, or is cut off from here")
		}
		requireDegraded(t, nodes[0], "the bus to the other nodes is down")
		pass(time.Minute)
		for _, n := range nodes[1:] {
			require.NoError(t, n.Check(t.Context()))
		}

		require.NoError(t, nodes[1].Shutdown(context.Background()))
		pass(3 * time.Second)
		require.NoError(t, nodes[2].Check(t.Context()), "it has said goodbye")
		pass(time.Minute)
		require.NoError(t, nodes[2].Check(t.Context()))
	})
}

// TestClusterCheckLateGoodbye loses the goodbye of a node for one of two
// others, which goes on listing it for a while.
func TestClusterCheckLateGoodbye(t *testing.T) {
	t.Parallel()
	inCluster(t, 3, func(t *testing.T, nodes []*peer) {
		nodes[0].broadcast(private, `"last"`)
		pass(0)
		nodes[0].engine.unheardBy.Store(nodes[2].engine)
		require.NoError(t, nodes[0].Shutdown(context.Background()))
		for range 320 {
			pass(250 * time.Millisecond)
			require.NoError(t, nodes[1].Check(t.Context()))
		}
		require.NoError(t, nodes[2].Check(t.Context()))
	})
}

// TestClusterCheckAtTheStart waits before it says that nothing comes back.
func TestClusterCheckAtTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		node := outside(t, &hub)
		node.engine.unheardBy.Store(node.engine)
		node.run()
		pass(7 * time.Second)
		require.NoError(t, node.Check(t.Context()))
		pass(8 * time.Second)
		requireDegraded(t, node, "does not come back")
	})
}

// TestClusterCheckEcho cuts a node off from what it publishes itself. A node
// that hears no others has no other sign that it is deaf.
func TestClusterCheckEcho(t *testing.T) {
	t.Parallel()
	inCluster(t, 1, func(t *testing.T, nodes []*peer) {
		node := nodes[0]
		pass(time.Minute)
		require.NoError(t, node.Check(t.Context()))
		node.engine.unheardBy.Store(node.engine)
		pass(7 * time.Second)
		require.NoError(t, node.Check(t.Context()))
		pass(8 * time.Second)
		requireDegraded(t, node, "what this node publishes on the bus does not come back to it")
		node.engine.unheardBy.Store(nil)
		pass(6 * time.Second)
		require.NoError(t, node.Check(t.Context()))
		node.bus.Partition()
		pass(time.Minute)
		node.bus.Heal()
		pass(time.Second)
		require.NoError(t, node.Check(t.Context()), "it has just come up")
		close(node.engine.broken)
		pass(time.Second)
		err := node.Check(t.Context())
		var degraded interface{ Degraded() bool }
		require.True(t, errors.As(err, &degraded), "it goes on alone")
	})
}
