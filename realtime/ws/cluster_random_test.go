package ws_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// crew is a cluster under random faults, and what its clients have been told.
type crew struct {
	t     *testing.T
	rand  *rand.Rand
	nodes []*peer
	hands []*hand
	sent  atomic.Int64 // events on the private channel
}

// hand is a client on the presence channel and the private one.
type hand struct {
	*realtimetest.Client
	user    string
	first   int64 // events before this one are not its own
	members []string
	got     []int64
	head    int64 // it has been told to fetch everything up to here
}

// TestClusterUnderFaults loses frames, cuts nodes off and lets them hang while people come and go. In the end everybody
// sees who is there, has been told of each who came and went exactly once, and has had every event, or the advice to
// fetch it. MURPH_SEED repeats one run.
func TestClusterUnderFaults(t *testing.T) {
	t.Parallel()
	seeds := make([]uint64, 100)
	for i := range seeds {
		seeds[i] = uint64(i)
	}
	if s, err := strconv.ParseUint(os.Getenv("MURPH_SEED"), 10, 64); err == nil {
		seeds = []uint64{s}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { sail(t, seed) })
		})
	}
}

func sail(t *testing.T, seed uint64) {
	c := &crew{t: t, rand: rand.New(rand.NewPCG(seed, 1))}
	var hub inmem.BusHub
	for range 3 {
		node := enter(t, &hub, func(cfg *ws.Config) { cfg.MaxQueueFrames = 10_000 })
		node.head = &c.sent
		c.nodes = append(c.nodes, node)
	}
	pass(4 * time.Second)
	for range 60 {
		c.step()
	}
	for _, n := range c.nodes {
		n.bus.Drop(0)
		n.bus.Resume()
		n.bus.Heal()
	}
	pass(12 * time.Second)
	c.settle()
}

func (c *crew) step() {
	node := c.nodes[c.rand.IntN(len(c.nodes))]
	switch c.rand.IntN(14) {
	case 0, 1, 2:
		c.come(node)
	case 3, 4:
		if n := len(c.hands); n > 0 {
			i := c.rand.IntN(n)
			c.hands[i].Close()
			c.hands = slices.Delete(c.hands, i, i+1)
		}
	case 5:
		node.bus.Drop(1 + c.rand.IntN(5))
	case 6:
		node.bus.Partition()
	case 7:
		node.bus.Hang()
	case 8, 9:
		node.bus.Heal()
	case 10:
		node.bus.Pause()
	case 11:
		node.bus.Resume()
	default:
		for range 1 + c.rand.IntN(5) {
			node.broadcast(private, fmt.Sprint(c.sent.Add(1)))
		}
	}
	if c.rand.IntN(3) == 0 {
		pass(time.Duration(c.rand.IntN(8000)) * time.Millisecond)
	}
}

func (c *crew) come(node *peer) {
	h := &hand{Client: node.connect(), user: fmt.Sprintf("u%d", c.rand.IntN(4))}
	g := node.grantFor(h.Client, room, &realtime.Member{UserID: h.user})
	ack := present(node.fixture, h.Client, room, g)
	var frame struct{ Data string }
	require.NoError(c.t, json.Unmarshal([]byte(ack), &frame))
	var data struct{ Presence struct{ IDs []string } }
	require.NoError(c.t, json.Unmarshal([]byte(frame.Data), &data))
	h.members = data.Presence.IDs
	require.Contains(c.t, h.members, h.user)
	h.first = c.sent.Load() + 1
	node.subscribe(h.Client, private)
	c.hands = append(c.hands, h)
}

// settle reads everything that the clients have been told, and compares.
func (c *crew) settle() {
	var here []string
	for _, h := range c.hands {
		if !slices.Contains(here, h.user) {
			here = append(here, h.user)
		}
	}
	slices.Sort(here)
	for i, n := range c.nodes {
		users := n.Users(room)
		if len(users) > 0 || len(here) > 0 {
			require.Equal(c.t, here, users, "node %d", i)
		}
		require.Equal(c.t, len(c.nodes)-1, n.Stats().Nodes)
		_, body := n.caller().do("GET", "/apps/1/channels/"+string(room)+"?info=subscription_count", "")
		require.Contains(c.t, body, fmt.Sprintf(`"subscription_count":%d`, len(c.hands)))
	}
	for _, h := range c.hands {
		c.read(h)
		slices.Sort(h.members)
		require.Equal(c.t, here, h.members)
		for n := h.first; n <= c.sent.Load(); n++ {
			if !slices.Contains(h.got, n) {
				require.LessOrEqual(c.t, n, h.head, "an event is missing, and nobody said so")
			}
		}
	}
}

func (c *crew) read(h *hand) {
	require.NoError(c.t, h.Send(c.t.Context(), "pusher:ping", struct{}{}))
	for {
		f, err := h.Next(c.t.Context())
		require.NoError(c.t, err)
		var who struct {
			ID   string `json:"user_id"`
			Head int64  `json:"head"`
		}
		_ = json.Unmarshal(f.Data, &who)
		switch f.Event {
		case "pusher:pong":
			return
		case "pusher_internal:member_added":
			require.NotContains(c.t, h.members, who.ID, "told twice")
			h.members = append(h.members, who.ID)
		case "pusher_internal:member_removed":
			i := slices.Index(h.members, who.ID)
			require.GreaterOrEqual(c.t, i, 0, "told twice")
			h.members = slices.Delete(h.members, i, i+1)
		case "new-message":
			n, err := strconv.ParseInt(string(f.Data), 10, 64)
			require.NoError(c.t, err)
			require.NotContains(c.t, h.got, n, "delivered twice")
			h.got = append(h.got, n)
		case "resync-required":
			h.head = max(h.head, who.Head)
		}
	}
}
