package ws_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// onPipesAndSockets runs a test in a bubble, on connections that take nothing before it is read, and over sockets, which
// take everything at once.
func onPipesAndSockets(t *testing.T, test func(*testing.T, *fixture), change ...func(*ws.Config)) {
	t.Helper()
	t.Run("pipe", func(t *testing.T) {
		t.Parallel()
		inBubble(t, test, change...)
	})
	t.Run("tcp", func(t *testing.T) {
		t.Parallel()
		test(t, startOn(t, "tcp", change...))
	})
}

// unhurried lets a client do as much at once as a test needs.
func unhurried(c *ws.Config) {
	off := ws.Rate{PerSecond: -1}
	c.SubscribeRate, c.MessageRate, c.ConnectRate = off, off, off
}

// tally reads n messages and counts them by event.
func tally(t *testing.T, c *realtimetest.Client, n int) map[string]int {
	t.Helper()
	events := make(map[string]int)
	for range n {
		frame, err := c.Next(t.Context())
		require.NoError(t, err, events)
		events[frame.Event]++
	}
	return events
}

// TestOtherLeavesManyChannels has one client hear at once that another one has left 70 channels of each kind.
func TestOtherLeavesManyChannels(t *testing.T) {
	t.Parallel()
	const n = 70
	onPipesAndSockets(t, func(t *testing.T, f *fixture) {
		stays, leaves := f.connect(), f.connect()
		for i := range n {
			for _, ch := range []realtime.Channel{realtime.Channel(fmt.Sprint("presence-", i)), realtime.Channel(fmt.Sprint(i))} {
				f.subscribe(stays, ch)
				f.subscribe(leaves, ch)
			}
		}
		require.Equal(t, map[string]int{"pusher_internal:member_added": n, "pusher_internal:subscription_count": 2 * n},
			tally(t, stays, 3*n))
		leaves.Cut()
		require.Equal(t, map[string]int{"pusher_internal:member_removed": n, "pusher_internal:subscription_count": n},
			tally(t, stays, 2*n))
		silent(t, stays)
		require.Zero(t, f.Stats().SlowCloses)
		require.Empty(t, f.Stats().Closes)
	}, unhurried, counting, func(c *ws.Config) { c.MaxChannels = 2 * n })
}

// TestRevokeOfManyMembers keeps one of 81, who hears at once that all others have gone.
func TestRevokeOfManyMembers(t *testing.T) {
	t.Parallel()
	const n = 80
	onPipesAndSockets(t, func(t *testing.T, f *fixture) {
		kept := f.connect()
		f.join(kept, room, "kept")
		others := make([]*realtimetest.Client, n)
		for i := range others {
			others[i] = f.connect()
			f.join(others[i], room, fmt.Sprint("member-", i))
		}
		require.Equal(t, map[string]int{"pusher_internal:member_added": n}, tally(t, kept, n))
		require.NoError(t, f.Revoke(t.Context(), realtime.Revocation{Channels: []realtime.Channel{room}, Keep: []string{"kept"}}))
		require.Equal(t, map[string]int{"pusher_internal:member_removed": n}, tally(t, kept, n))
		silent(t, kept)
		for _, c := range others {
			for !strings.Contains(next(t, c), "No longer authorized") {
			}
			silent(t, c)
		}
		require.Zero(t, f.Stats().SlowCloses)
		require.Empty(t, f.Stats().Closes)
	}, unhurried)
}

// TestClusterMergesManyMembers has one client hear at once of 70 members, who are on a node that was away, or that runs
// only now.
func TestClusterMergesManyMembers(t *testing.T) {
	t.Parallel()
	const n = 70
	hears := func(t *testing.T, f *fixture, c *realtimetest.Client) {
		require.Equal(t, map[string]int{"pusher_internal:member_added": n}, tally(t, c, n))
		silent(t, c)
		require.Zero(t, f.Stats().SlowCloses)
		require.Empty(t, f.Stats().Closes)
	}
	t.Run("pipe", func(t *testing.T) {
		t.Parallel()
		inCluster(t, 2, func(t *testing.T, nodes []*peer) {
			local := nodes[0].connect()
			nodes[0].join(local, room, "local")
			nodes[1].bus.Partition()
			pass(20 * time.Second)
			for i := range n {
				c := nodes[1].connect()
				nodes[1].join(c, room, fmt.Sprint("member-", i))
				answerPings(t, c)
			}
			pass(time.Second)
			require.Equal(t, []string{"local"}, nodes[0].Users(room))
			nodes[1].bus.Heal()
			hears(t, nodes[0].fixture, local)
		}, unhurried)
	})
	t.Run("tcp", func(t *testing.T) {
		t.Parallel()
		var hub inmem.BusHub
		var nodes []*fixture
		for range 2 {
			nodes = append(nodes, startOn(t, "tcp", unhurried, func(c *ws.Config) {
				c.Bus, c.Resync, c.Authorize = hub.Node(), noResync, everybody
			}))
		}
		local := nodes[0].connect()
		nodes[0].join(local, room, "local")
		for i := range n {
			nodes[1].join(nodes[1].connect(), room, fmt.Sprint("member-", i))
		}
		for _, f := range nodes {
			f.background(func() error { return f.Run(t.Context()) })
		}
		hears(t, nodes[0], local)
	})
}

// large is what a member shows who makes notices of more than 1,000 bytes.
func large(userID string) *realtime.Member {
	return &realtime.Member{UserID: userID, Info: json.RawMessage(`{"n":"` + strings.Repeat("x", 1000) + `"}`)}
}

// TestNoticesAreBoundedInBytes has a client that does not read, and members who come until it has no room for more.
func TestNoticesAreBoundedInBytes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c, other := f.connect(), f.connect()
		f.join(c, room, "c")
		come := func(id string) {
			require.NoError(t, other.Subscribe(t.Context(), room, f.grantFor(other, room, large(id))))
			require.NoError(t, other.Unsubscribe(t.Context(), room))
			synctest.Wait()
		}
		for i := range 3 {
			come(fmt.Sprint(i))
			require.Zero(t, f.Stats().SlowCloses, i)
		}
		come("3")
		require.EqualValues(t, 1, f.Stats().SlowCloses)
		require.Zero(t, f.Subscribers(room), "it gets nothing any more")
		require.Equal(t, 4100, closeCode(t, c))
		require.NoError(t, other.Sync(t.Context()))
	}, func(c *ws.Config) { c.MaxQueueBytes = 4096 })
}

// TestMemoryOfNotices has five clients that do not read, and members who come until that is too much for all.
func TestMemoryOfNotices(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		const other = realtime.Channel("presence-other")
		most, member := f.connect(), f.connect()
		f.join(most, room, "most")
		f.join(most, other, "most")
		for i := range 4 {
			f.join(f.connect(), room, fmt.Sprint("less-", i))
		}
		come := func(ch realtime.Channel) {
			require.NoError(t, member.Subscribe(t.Context(), ch, f.grantFor(member, ch, large("m"))))
			synctest.Wait()
		}
		for _, ch := range []realtime.Channel{room, other, room} {
			come(ch)
			require.NoError(t, member.Unsubscribe(t.Context(), ch))
			synctest.Wait()
		}
		require.Zero(t, f.Stats().SlowCloses)
		require.Greater(t, f.Stats().QueuedBytes, 13_000)
		come(room) // more than 18,000 bytes now
		require.EqualValues(t, 1, f.Stats().SlowCloses)
		require.Equal(t, 4100, closeCode(t, most))
		require.Equal(t, 5, f.Subscribers(room))
	}, func(c *ws.Config) { c.MaxQueueMemory = 18_000 })
}

// TestMemoryOfAnswers has two clients that ask, and do not read the answers, until that is too much for all.
func TestMemoryOfAnswers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		most, less := f.connect(), f.connect()
		ask := func(c *realtimetest.Client) { // the answer has the name in it, which is none
			name := "!" + strings.Repeat("x", 4000)
			require.NoError(t, c.Send(t.Context(), "pusher:subscribe", map[string]string{"channel": name}))
			synctest.Wait()
		}
		ask(less)
		for range 3 {
			ask(most)
		}
		require.Zero(t, f.Stats().SlowCloses)
		require.Greater(t, f.Stats().QueuedBytes, 16_000)
		ask(most) // more than 20,000 bytes now
		require.EqualValues(t, 1, f.Stats().SlowCloses)
		require.Equal(t, 4100, closeCode(t, most))
		require.Contains(t, next(t, less), "Invalid channel name")
		silent(t, less)
	}, func(c *ws.Config) { c.MaxQueueMemory = 20_000 })
}
