package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
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

// peer is one node of a cluster, with what a test can do to it.
type peer struct {
	*fixture
	bus    *inmem.Bus
	engine *line
	heard  *notices
	asked  int             // how often who may listen; read it when all is quiet
	banned map[string]bool // change it when all is quiet
	woken  int             // read it when all is quiet
	head   *atomic.Int64   // what a call to resync tells, if anything
	leave  context.CancelFunc
	left   chan struct{}
}

// inCluster runs a test in a bubble, with n nodes that know each other.
func inCluster(t *testing.T, n int, test func(*testing.T, []*peer), change ...func(*ws.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		nodes := make([]*peer, n)
		for i := range nodes {
			nodes[i] = enter(t, &hub, change...)
			pass(time.Second)
		}
		pass(3 * time.Second) // they have learned who is there
		for _, m := range nodes {
			m.heard.take()
		}
		test(t, nodes)
	})
}

// enter starts one more node. It ends with the bubble.
func enter(t *testing.T, hub *inmem.BusHub, change ...func(*ws.Config)) *peer {
	t.Helper()
	m := outside(t, hub, change...)
	m.run()
	return m
}

// outside starts one more node, which is no part of the cluster before it runs. It ends with the bubble.
func outside(t *testing.T, hub *inmem.BusHub, change ...func(*ws.Config)) *peer {
	t.Helper()
	m := &peer{bus: hub.Node(), left: make(chan struct{})}
	m.engine = &line{Bus: m.bus, broken: make(chan struct{})}
	srv, err := ws.New(config(append(change, func(c *ws.Config) {
		c.Bus = m.engine
		c.ActivityTimeout = time.Hour
		c.WriteTimeout = time.Hour // a pipe takes nothing before it is read
		c.Resync = func(ch realtime.Channel) (realtime.Event, bool) {
			ev := realtime.Event{Channel: ch, Name: "resync-required", Data: []byte("{}")}
			if m.head != nil {
				ev.Data = fmt.Appendf(nil, `{"head":%d}`, m.head.Load())
			}
			return ev, ch.Kind() == realtime.KindPrivate
		}
		c.Authorize = func(_ context.Context, batch []realtime.Listener) ([]bool, error) {
			m.asked++
			allowed := make([]bool, len(batch))
			for i, l := range batch {
				allowed[i] = !m.banned[l.UserID]
			}
			return allowed, nil
		}
		c.OnWake = func() { m.woken++ }
	})...))
	require.NoError(t, err)
	listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	host := &http.Server{Handler: srv}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = host.Serve(listener)
	}()
	m.fixture = &fixture{Server: srv, t: t, base: "ws://murph.test", dial: listener.dial}
	m.heard = listen(m.fixture)
	t.Cleanup(func() {
		if m.leave != nil {
			m.leave()
			<-m.left
		}
		_ = srv.Shutdown(ended())
		_ = host.Close()
		<-served
	})
	return m
}

// run makes the node part of the cluster.
func (m *peer) run() {
	var ctx context.Context
	ctx, m.leave = context.WithCancel(context.Background())
	go func() {
		defer close(m.left)
		if err := m.Run(ctx); err != nil && !errors.Is(err, errBroken) {
			m.t.Error(err)
		}
	}()
}

// line is a node's way to the engine. It gives up when broken is closed.
type line struct {
	*inmem.Bus
	name      atomic.Value // of the last Run
	broken    chan struct{}
	unheardBy atomic.Pointer[line] // does not get what this node publishes
	skipped   sync.Map             // frames that this node does not get
}

var errBroken = errors.New("the bus is broken")

func (b *line) Run(ctx context.Context, name string, h realtime.BusHandler) error {
	b.name.Store(name)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		select {
		case <-b.broken:
			stop(errBroken)
		case <-ctx.Done():
		}
	}()
	err := b.Bus.Run(ctx, name, skipping{h, b})
	if errors.Is(context.Cause(ctx), errBroken) {
		err = errBroken
	}
	return err
}

func (b *line) Publish(ctx context.Context, shard uint8, frame []byte) error {
	if other := b.unheardBy.Load(); other != nil {
		other.skipped.Store(string(frame), true)
	}
	return b.Bus.Publish(ctx, shard, frame)
}

// skipping stands before the handler of a line.
type skipping struct {
	realtime.BusHandler
	line *line
}

func (s skipping) Frame(shard uint8, frame []byte) {
	if _, skip := s.line.skipped.LoadAndDelete(string(frame)); !skip {
		s.BusHandler.Frame(shard, frame)
	}
}

// anything returns what waits for a client when all is quiet.
func anything(c *realtimetest.Client) (events []string) {
	synctest.Wait()
	if err := c.Send(context.Background(), "pusher:ping", struct{}{}); err != nil {
		return []string{"closed"}
	}
	for {
		f, err := c.Next(context.Background())
		if err != nil {
			return append(events, "closed")
		}
		if f.Event == "pusher:pong" {
			return events
		}
		events = append(events, f.Event+" "+string(f.Data))
	}
}

// TestClusterEvents has every kind of event cross over, to all but the one connection that is excepted.
func TestClusterEvents(t *testing.T) {
	t.Parallel()
	inCluster(t, 3, func(t *testing.T, nodes []*peer) {
		sender, here, there := nodes[0].connect(), nodes[0].connect(), nodes[1].connect()
		for i, c := range []*realtimetest.Client{sender, here, there} {
			nodes[i/2].subscribe(c, private, "cache-x")
			anything(c) // the cache's misses
		}
		ev := realtime.Event{Channel: private, Name: "new-message", Data: []byte(`"1"`), Except: sender.SocketID()}
		require.NoError(t, nodes[2].Broadcast(t.Context(), ev))
		require.Empty(t, anything(sender))
		require.Equal(t, []string{`new-message "1"`}, anything(here))
		require.Equal(t, []string{`new-message "1"`}, anything(there))

		require.NoError(t, there.Trigger(t.Context(), private, "client-typing", 1))
		for _, c := range []*realtimetest.Client{sender, here} {
			require.Equal(t, []string{`client-typing 1`}, anything(c))
		}
		require.Empty(t, anything(there))

		status, _ := nodes[2].caller().do("POST", "/apps/1/events", `{"name":"e","channels":["cache-x"],"data":"not JSON"}`)
		require.Equal(t, 200, status)
		for _, c := range []*realtimetest.Client{sender, here, there} {
			require.Equal(t, []string{`e "not JSON"`}, anything(c))
		}
		late := nodes[1].connect()
		nodes[1].subscribe(late, "cache-x")
		require.Equal(t, []string{`e "not JSON"`}, anything(late), "every node remembers")

		nodes[0].signIn(sender, "ann", "")
		require.NoError(t, sender.Subscribe(t.Context(), "#server-to-user-ann", realtime.Grant{}))
		require.NoError(t, nodes[1].SendToUser(t.Context(), "ann", "notice", json.RawMessage(`1`)))
		require.Equal(t, []string{`notice 1`}, anything(sender))

		big := strings.Repeat("x", realtime.MaxEventData-2)
		for range 10 {
			nodes[1].broadcast(private, `"`+big+`"`)
		}
		require.Equal(t, 10, len(anything(here)))
	}, typing)
}

// TestClusterPresence has people on several nodes meet.
func TestClusterPresence(t *testing.T) {
	t.Parallel()
	inCluster(t, 3, func(t *testing.T, nodes []*peer) {
		ann, bob := nodes[0].connect(), nodes[1].connect()
		ack := present(nodes[0].fixture, ann, room, nodes[0].grantFor(ann, room, &realtime.Member{UserID: "ann", Info: []byte(`{"n":1}`)}))
		require.Contains(t, ack, `\"count\":1`)
		pass(time.Second)
		ack = present(nodes[1].fixture, bob, room, nodes[1].grantFor(bob, room, &realtime.Member{UserID: "bob"}))
		require.Contains(t, ack, `\"ids\":[\"ann\",\"bob\"],\"hash\":{\"ann\":{\"n\":1},\"bob\":{}}`)
		pass(time.Second)
		require.Equal(t, added("bob", "{}"), next(t, ann))

		// Ann's second tab is on another node: she is one member, until the last one has gone.
		second := nodes[1].connect()
		nodes[1].join(second, room, "ann")
		pass(time.Second)
		second.Close()
		pass(time.Second)
		silent(t, ann, bob)
		third := nodes[2].connect()
		nodes[2].join(third, room, "ann")
		pass(time.Second)
		ann.Close()
		pass(time.Second)
		silent(t, bob, third)
		third.Close()
		pass(time.Second)
		require.Equal(t, removed("ann"), next(t, bob))
		silent(t, bob)

		full := nodes[0].connect()
		nodes[0].join(full, room, "carl")
		pass(time.Second)
		err := nodes[2].connect().Subscribe(t.Context(), room, realtime.Grant{})
		require.Error(t, err)
		var refused *realtimetest.RefusedError
		dora := nodes[2].connect()
		err = dora.Subscribe(t.Context(), room, nodes[2].grantFor(dora, room, &realtime.Member{UserID: "dora"}))
		require.ErrorAs(t, err, &refused, "two members are all that there is room for, wherever they are")
	}, func(c *ws.Config) { c.MaxMembers = 2 })
}

// TestClusterQueries asks one node about what is on others.
func TestClusterQueries(t *testing.T) {
	t.Parallel()
	inCluster(t, 2, func(t *testing.T, nodes []*peer) {
		a, b, c := nodes[0].connect(), nodes[1].connect(), nodes[1].connect()
		nodes[0].subscribe(a, lobby)
		nodes[1].subscribe(b, lobby)
		nodes[1].subscribe(c, "other")
		nodes[0].join(a, room, "ann")
		nodes[1].join(b, room, "bob")
		nodes[1].join(c, room, "ann")
		pass(time.Second)
		for _, n := range nodes {
			api := n.caller()
			_, body := api.do("GET", "/apps/1/channels?info=subscription_count", "")
			require.JSONEq(t, `{"channels":{"lobby":{"subscription_count":2},"other":{"subscription_count":1},
				"presence-room":{"subscription_count":3}}}`, body)
			_, body = api.do("GET", "/apps/1/channels/presence-room?info=user_count,subscription_count", "")
			require.JSONEq(t, `{"occupied":true,"user_count":2,"subscription_count":3}`, body)
			_, body = api.do("GET", "/apps/1/channels/presence-room/users", "")
			require.JSONEq(t, `{"users":[{"id":"ann"},{"id":"bob"}]}`, body)
		}
		require.Contains(t, anything(a), `pusher_internal:subscription_count {"subscription_count":2}`)
		b.Close()
		c.Close()
		pass(time.Second)
		_, body := nodes[0].caller().do("GET", "/apps/1/channels?info=subscription_count", "")
		require.JSONEq(t, `{"channels":{"lobby":{"subscription_count":1},"presence-room":{"subscription_count":1}}}`, body)
		require.Contains(t, anything(a), `pusher_internal:subscription_count {"subscription_count":1}`)
	}, counting)
}

// TestClusterWatchlist has somebody hear of people who sign in elsewhere.
func TestClusterWatchlist(t *testing.T) {
	t.Parallel()
	inCluster(t, 2, func(t *testing.T, nodes []*peer) {
		watcher, ann, twin := nodes[0].connect(), nodes[1].connect(), nodes[0].connect()
		nodes[1].signIn(ann, "ann", "")
		pass(time.Second)
		require.NoError(t, watcher.SignIn(t.Context(), userGrant(watcher, `{"id":"w","watchlist":["ann"]}`)))
		require.Equal(t, []string{`pusher_internal:watchlist_events {"events":[{"name":"online","user_ids":["ann"]}]}`}, anything(watcher))
		nodes[0].signIn(twin, "ann", "")
		ann.Close()
		pass(time.Second)
		require.Empty(t, anything(watcher))
		twin.Close()
		pass(time.Second)
		require.Equal(t, []string{`pusher_internal:watchlist_events {"events":[{"name":"offline","user_ids":["ann"]}]}`}, anything(watcher))
		again := nodes[1].connect()
		nodes[1].signIn(again, "ann", "")
		pass(time.Second)
		require.Equal(t, []string{`pusher_internal:watchlist_events {"events":[{"name":"online","user_ids":["ann"]}]}`}, anything(watcher))
	})
}

// TestClusterLoss loses frames without a word. Those who may have missed something are told to fetch it within the time
// between two heartbeats, and nobody else is.
func TestClusterLoss(t *testing.T) {
	t.Parallel()
	inCluster(t, 3, func(t *testing.T, nodes []*peer) {
		c, d := nodes[1].connect(), nodes[2].connect()
		nodes[1].subscribe(c, private)
		nodes[2].subscribe(d, private)
		pass(6 * time.Second)
		anything(c)
		gaps := nodes[1].Stats().BusGaps
		nodes[1].bus.Drop(1)
		nodes[0].broadcast(private, `"lost"`)
		pass(2500 * time.Millisecond)
		require.Equal(t, []string{`resync-required {}`}, anything(c))
		require.Equal(t, []string{`new-message "lost"`}, anything(d))
		require.Equal(t, gaps+1, nodes[1].Stats().BusGaps)

		// The next one tells at once, and another loss soon after waits its turn.
		nodes[1].bus.Drop(1)
		nodes[0].broadcast(private, `"lost"`)
		pass(0)
		nodes[0].broadcast(private, `"2"`)
		require.Equal(t, []string{`new-message "2"`}, anything(c))
		pass(time.Second)
		require.Empty(t, anything(c))
		pass(5 * time.Second)
		require.Equal(t, []string{`resync-required {}`}, anything(c))
	})
}

// TestClusterForgetsTheDead takes a node away from the bus, and gives it back.
func TestClusterForgetsTheDead(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(*inmem.Bus){"refusing": (*inmem.Bus).Partition, "hanging": (*inmem.Bus).Hang} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inCluster(t, 3, func(t *testing.T, nodes []*peer) {
				clients := make([]*realtimetest.Client, 3)
				for i, n := range nodes {
					clients[i] = n.connect()
					n.join(clients[i], room, string(rune('a'+i)))
					n.subscribe(clients[i], private)
					pass(time.Second)
				}
				pass(6 * time.Second)
				for _, c := range clients {
					anything(c)
				}
				cut(nodes[0].bus)
				nodes[0].broadcast(private, `"here"`)
				pass(0)
				require.Equal(t, []string{`new-message "here"`}, anything(clients[0]), "those who are here come first")
				pass(7 * time.Second)
				require.NotContains(t, anything(clients[1]), `pusher_internal:member_removed {"user_id":"a"}`)
				require.Error(t, nodes[0].Check(t.Context()))
				pass(5 * time.Second)
				require.Contains(t, anything(clients[1]), `pusher_internal:member_removed {"user_id":"a"}`)
				require.Contains(t, anything(clients[2]), `pusher_internal:member_removed {"user_id":"a"}`)
				require.Equal(t, []string{"a"}, nodes[0].Users(room))
				require.Equal(t, 1, nodes[1].Stats().Nodes)
				require.Positive(t, nodes[1].woken)
				require.Contains(t, anything(clients[0]), `resync-required {}`, "it may have missed something")

				pass(30 * time.Second)
				require.Contains(t, anything(clients[0]), `resync-required {}`, "again and again")
				nodes[0].bus.Heal()
				pass(3 * time.Second)
				for i, n := range nodes {
					require.Equal(t, []string{"a", "b", "c"}, n.Users(room))
					require.Equal(t, 2, n.Stats().Nodes)
					require.NoError(t, n.Check(t.Context()))
					if events := anything(clients[i]); i > 0 {
						require.Contains(t, events, `pusher_internal:member_added {"user_id":"a","user_info":{}}`)
						require.NotContains(t, events, `pusher_internal:member_removed {"user_id":"a"}`)
					}
				}
			})
		})
	}
}

// TestClusterLeave has a node say goodbye: nobody waits for its death.
func TestClusterLeave(t *testing.T) {
	t.Parallel()
	inCluster(t, 2, func(t *testing.T, nodes []*peer) {
		a, b := nodes[0].connect(), nodes[1].connect()
		nodes[0].join(a, room, "a")
		nodes[1].join(b, room, "b")
		pass(time.Second)
		anything(b)
		woken := nodes[1].woken
		done := make(chan error, 1)
		go func() { done <- nodes[0].Shutdown(context.Background()) }()
		require.Equal(t, 4200, closeCode(t, a))
		a.Close()
		require.NoError(t, <-done)
		pass(100 * time.Millisecond)
		require.Equal(t, []string{`pusher_internal:member_removed {"user_id":"a"}`}, anything(b))
		require.Zero(t, nodes[1].Stats().Nodes)
		require.Equal(t, woken+1, nodes[1].woken)
		require.Error(t, nodes[0].Check(t.Context()))
		require.Error(t, nodes[0].Broadcast(t.Context(), realtime.Event{Channel: private, Name: "e", Data: []byte("1")}),
			"nobody would get it")
	})
}

// TestClusterCommands ends subscriptions and connections on other nodes.
func TestClusterCommands(t *testing.T) {
	t.Parallel()
	inCluster(t, 3, func(t *testing.T, nodes []*peer) {
		patient, student, gone := nodes[0].connect(), nodes[1].connect(), nodes[2].connect()
		nodes[0].join(patient, private, "patient")
		nodes[1].join(student, private, "student")
		old := nodes[2].grantFor(gone, private, &realtime.Member{UserID: "gone"})
		require.NoError(t, gone.Subscribe(t.Context(), private, old))
		require.NoError(t, nodes[0].Revoke(t.Context(), realtime.Revocation{Channels: []realtime.Channel{private}, Keep: []string{"patient", "student"}}))
		require.Len(t, anything(gone), 1)
		require.Empty(t, anything(student))
		require.Error(t, gone.Subscribe(t.Context(), private, old), "nor is the grant good for anything")

		// Said again until it is confirmed.
		nodes[1].bus.Drop(2)
		require.NoError(t, nodes[0].Revoke(t.Context(), realtime.Revocation{Channels: []realtime.Channel{private}, Keep: []string{"patient"}}))
		require.Empty(t, anything(student))
		pass(time.Second)
		require.NotEmpty(t, anything(student))

		for i, c := range []*realtimetest.Client{patient, student, gone} {
			nodes[i].signIn(c, "ann", "")
		}
		nodes[2].bus.Drop(1)
		require.NoError(t, nodes[0].TerminateUser(t.Context(), "ann"))
		for _, c := range []*realtimetest.Client{patient, student, gone} {
			require.Equal(t, 4009, closeCode(t, c))
		}

		nodes[2].bus.Hang()
		require.ErrorContains(t, nodes[0].TerminateUser(t.Context(), "ann"), "1 nodes have not confirmed")
		nodes[0].bus.Partition()
		pass(time.Second)
		require.ErrorContains(t, nodes[0].TerminateUser(t.Context(), "ann"), "cannot be reached")
	})
}

// TestClusterWebhooks has one node give notice of what happens anywhere. When it dies, what it may not have said any more
// is said by another.
func TestClusterWebhooks(t *testing.T) {
	t.Parallel()
	inCluster(t, 3, func(t *testing.T, nodes []*peer) {
		all := func() (all []string) {
			for _, n := range nodes {
				all = append(all, n.heard.take()...)
			}
			return all
		}
		a, b := nodes[1].connect(), nodes[2].connect()
		nodes[1].join(a, room, "a")
		pass(time.Second)
		nodes[2].join(b, room, "b")
		pass(4 * time.Second) // longer than a heartbeat: the oldest is known to have lived
		require.ElementsMatch(t, []string{"channel_occupied|presence-room|||||0", "member_added|presence-room|a||||0",
			"member_added|presence-room|b||||0"}, all())
		nodes[0].bus.Partition() // the oldest speaks
		b.Close()
		pass(time.Second)
		require.Empty(t, nodes[1].heard.take())
		pass(12 * time.Second)
		require.Equal(t, []string{"member_removed|presence-room|b||||0"}, nodes[1].heard.take())
		require.Empty(t, nodes[2].heard.take())
		a.Close()
		pass(time.Second)
		require.Equal(t, []string{"member_removed|presence-room|a||||0", "channel_vacated|presence-room|||||0"}, nodes[1].heard.take())
	})
}

// TestClusterPause stops the process of a node, as far as its bus is concerned, until the others have given it up.
func TestClusterPause(t *testing.T) {
	t.Parallel()
	inCluster(t, 2, func(t *testing.T, nodes []*peer) {
		a, b := nodes[0].connect(), nodes[1].connect()
		nodes[0].join(a, room, "a")
		nodes[1].join(b, room, "b")
		pass(time.Second)
		anything(a)
		nodes[1].bus.Pause()
		b.Close() // it says so, and does not hear anybody
		pass(20 * time.Second)
		nodes[1].bus.Resume()
		pass(3 * time.Second)
		require.Equal(t, []string{`pusher_internal:member_removed {"user_id":"b"}`}, anything(a))
		for _, n := range nodes {
			require.Equal(t, []string{"a"}, n.Users(room))
		}
	})
}
