package ws_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/ws"
)

func withWebhook(c *ws.Config) { c.Webhooks = []ws.Webhook{{URL: "https://host.test/"}} }

// oneEndpoint has all nodes tell the same endpoint, which takes its time.
func oneEndpoint(t *testing.T, nodes []*peer, takes time.Duration) *endpoint {
	e := &endpoint{t: t, began: time.Now(), answer: func(int) (int, error) {
		<-time.After(takes)
		return http.StatusOK, nil
	}}
	for _, n := range nodes {
		n.TransportWebhooks(e)
		n.Listen(func(kind string, ch realtime.Channel, userID, event, data string, id realtime.SocketID, count int) {
			n.Notify(kind, ch, userID, event, data, id, count)
		})
	}
	return e
}

// lastWords is what the endpoint was last told of each channel.
func (e *endpoint) lastWords() map[realtime.Channel]string {
	events, _ := e.events()
	last := make(map[realtime.Channel]string)
	for _, text := range events {
		var ev struct {
			Name    string
			Channel realtime.Channel
		}
		require.NoError(e.t, json.Unmarshal([]byte(text), &ev))
		last[ev.Channel] = ev.Name
	}
	return last
}

// TestLeaderDrains shuts the node down that speaks for all. Some of its clients come back on the other one, sooner or later
// than that is told of them, and some do not: what the endpoint hears last is how things are.
func TestLeaderDrains(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{0, 50 * time.Millisecond, time.Second} {
		inCluster(t, 2, func(t *testing.T, nodes []*peer) {
			e := oneEndpoint(t, nodes, takes)
			const n = 300
			channel := func(i int) realtime.Channel { return realtime.Channel(fmt.Sprint("channel-", i)) }
			back := make(chan struct{}, n)
			for i := range n {
				c := nodes[0].connect()
				nodes[0].subscribe(c, channel(i))
				go func() {
					for {
						if _, err := c.Next(context.Background()); err != nil {
							break
						}
					}
					c.Close()
					if i%3 != 0 {
						<-time.After(time.Duration(i) * 2 * time.Millisecond)
						nodes[1].subscribe(nodes[1].connect(), channel(i))
					}
					back <- struct{}{}
				}()
			}
			pass(5 * time.Second)
			require.NoError(t, nodes[0].Shutdown(t.Context()))
			for range n {
				<-back
			}
			pass(20 * time.Second)
			last := e.lastWords()
			for i := range n {
				want := "channel_occupied"
				if i%3 == 0 {
					want = "channel_vacated"
				}
				require.Equal(t, want, last[channel(i)], "%v: %d", takes, i)
			}
		}, withWebhook, func(c *ws.Config) { c.ConnectRate.PerSecond = -1 })
	}
}

// TestLastNodeDrains shuts down a node that has nobody to leave its news to.
func TestLastNodeDrains(t *testing.T) {
	t.Parallel()
	inCluster(t, 1, func(t *testing.T, nodes []*peer) {
		e := oneEndpoint(t, nodes, 0)
		c := nodes[0].connect()
		nodes[0].subscribe(c, lobby)
		pass(time.Second)
		c.Close()
		pass(time.Second) // and not the three that it is held back for
		require.NoError(t, nodes[0].Shutdown(t.Context()))
		require.Equal(t, map[realtime.Channel]string{lobby: "channel_vacated"}, e.lastWords())
	}, withWebhook)
}

// TestLeaderDiesWithNews kills the node that speaks for all while it holds back who has left.
func TestLeaderDiesWithNews(t *testing.T) {
	t.Parallel()
	for _, later := range []time.Duration{100 * time.Millisecond, time.Second, 1900 * time.Millisecond} {
		inCluster(t, 2, func(t *testing.T, nodes []*peer) {
			oneEndpoint(t, nodes[:1], 0) // nobody hears what a dead node says
			e := oneEndpoint(t, nodes[1:], 0)
			gone, back := nodes[0].connect(), nodes[0].connect()
			nodes[0].join(gone, room, "a")
			nodes[0].join(back, room, "b")
			pass(5 * time.Second)
			gone.Close()
			back.Close()
			pass(time.Second)
			again := nodes[1].connect()
			nodes[1].join(again, room, "b")
			pass(later)
			nodes[0].bus.Partition()
			pass(30 * time.Second)
			events, _ := e.events()
			require.Contains(t, events, `{"name":"member_removed","channel":"presence-room","user_id":"a"}`)
			require.NotContains(t, events, `{"name":"member_removed","channel":"presence-room","user_id":"b"}`)
			require.NotContains(t, events, `{"name":"channel_vacated","channel":"presence-room"}`)
		}, withWebhook)
	}
}

// TestLeaderLeavesUnknowing has somebody come so shortly before the node leaves that speaks for all that it does not hear
// of it.
func TestLeaderLeavesUnknowing(t *testing.T) {
	t.Parallel()
	inCluster(t, 2, func(t *testing.T, nodes []*peer) {
		e := oneEndpoint(t, nodes, 0)
		nodes[1].subscribe(nodes[1].connect(), lobby)
		require.NoError(t, nodes[0].Shutdown(t.Context()))
		pass(10 * time.Second)
		require.Equal(t, map[realtime.Channel]string{lobby: "channel_occupied"}, e.lastWords())
	}, withWebhook)
}

// TestLeaderLeavesNewcomer has a node come so shortly before the only other one leaves that it is not ready to speak for
// all. Once it is, even if that takes longer because its bus goes down too, it says what the other one could not any more.
func TestLeaderLeavesNewcomer(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]func(*inmem.Bus){"soon": func(*inmem.Bus) {}, "late": (*inmem.Bus).Partition} {
		synctest.Test(t, func(t *testing.T) {
			var hub inmem.BusHub
			old := enter(t, &hub, withWebhook)
			pass(time.Second)
			oneEndpoint(t, []*peer{old}, 0)
			gone := old.connect()
			old.join(gone, room, "a")
			pass(5 * time.Second)
			young := enter(t, &hub, withWebhook)
			pass(time.Second) // it has heard who is there
			e := oneEndpoint(t, []*peer{young}, 0)
			require.Equal(t, []string{"a"}, young.Users(room), name)
			gone.Close()
			pass(600 * time.Millisecond)
			young.subscribe(young.connect(), lobby)
			require.NoError(t, old.Shutdown(t.Context()))
			after(young.bus)
			pass(500 * time.Millisecond)
			events, _ := e.events()
			require.Empty(t, events, name)
			pass(20 * time.Second)
			events, _ = e.events()
			require.ElementsMatch(t, []string{
				`{"name":"member_removed","channel":"presence-room","user_id":"a"}`,
				`{"name":"channel_vacated","channel":"presence-room"}`,
				`{"name":"channel_occupied","channel":"lobby"}`,
			}, events, name)
		})
	}
}

// TestBusGivesUp leaves a node alone: it does not say of the others' clients that they have gone, and goes on with its own.
func TestBusGivesUp(t *testing.T) {
	t.Parallel()
	for _, broken := range []int{0, 1} {
		inCluster(t, 2, func(t *testing.T, nodes []*peer) {
			e := oneEndpoint(t, nodes, 0)
			other := nodes[1-broken]
			other.join(other.connect(), room, "ann")
			other.subscribe(other.connect(), lobby)
			pass(5 * time.Second)
			close(nodes[broken].engine.broken)
			pass(30 * time.Second)
			events, _ := e.events()
			for _, ev := range events {
				require.NotContains(t, ev, "vacated")
				require.NotContains(t, ev, "removed")
			}
			c := nodes[broken].connect()
			nodes[broken].subscribe(c, "other")
			pass(time.Second)
			require.Equal(t, "channel_occupied", e.lastWords()["other"])
			c.Close()
			pass(5 * time.Second)
			require.Equal(t, "channel_vacated", e.lastWords()["other"])
		}, withWebhook)
	}
}

// TestRunWithNews has a client leave so shortly before the node becomes part of a cluster that this is not said yet.
func TestRunWithNews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		first := enter(t, &hub, withWebhook)
		pass(5 * time.Second)
		second := outside(t, &hub, withWebhook)
		e := oneEndpoint(t, []*peer{first, second}, 0)
		c := second.connect()
		second.subscribe(c, lobby)
		pass(5 * time.Second)
		c.Close()
		pass(2 * time.Second)
		second.run()
		pass(time.Minute)
		require.Equal(t, map[realtime.Channel]string{lobby: "channel_vacated"}, e.lastWords())
	})
}

// TestShutdownOfALearner shuts a node down that has found no others, and does not know yet that there are none.
func TestShutdownOfALearner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		node := outside(t, &hub, withWebhook)
		e := oneEndpoint(t, []*peer{node}, 0)
		before, c := node.connect(), node.connect()
		node.subscribe(before, "before")
		node.subscribe(c, lobby)
		pass(5 * time.Second)
		before.Close()
		pass(2 * time.Second)
		node.run()
		pass(500 * time.Millisecond)
		c.Close()
		pass(500 * time.Millisecond)
		require.NoError(t, node.Shutdown(t.Context()))
		require.Equal(t, map[realtime.Channel]string{lobby: "channel_vacated", "before": "channel_vacated"}, e.lastWords())
	})
}

// TestAPIOfABrokenCluster does not say that something is done which is done here only.
func TestAPIOfABrokenCluster(t *testing.T) {
	t.Parallel()
	inCluster(t, 2, func(t *testing.T, nodes []*peer) {
		call := nodes[0].caller()
		c := nodes[1].connect()
		nodes[1].signIn(c, "ann", "")
		nodes[0].bus.Partition()
		pass(time.Second)
		status, body := call.do("POST", "/apps/1/users/ann/terminate_connections", "{}")
		require.Equal(t, http.StatusServiceUnavailable, status, body)
		status, _ = call.do("POST", "/apps/1/events", `{"name":"e","data":"1","channel":"lobby"}`)
		require.Equal(t, http.StatusOK, status, "an event is a hint")
		require.NoError(t, nodes[0].Shutdown(t.Context()))
		for _, post := range [][2]string{
			{"/apps/1/events", `{"name":"e","data":"1","channel":"lobby"}`},
			{"/apps/1/events", `{"name":"e","data":"1","channel":"cache-a"}`},
			{"/apps/1/batch_events", `{"batch":[{"name":"e","data":"1","channel":"lobby"}]}`},
			{"/apps/1/channels/lobby/events?name=e", "1"},
		} {
			status, body := call.do("POST", post[0], post[1])
			require.Equal(t, http.StatusServiceUnavailable, status, post[0])
			require.Equal(t, "This server is shutting down", body)
		}
	})
}
