package ws_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// The life of a few connections, held to a model. After every step, when all is quiet:
//
//   - each client knows exactly the members of the presence channels that it is subscribed to, from the acknowledgement
//     and from what it was told since, and was never told of a member it knew, nor of the leaving of one it did not;
//   - each has got exactly the events of its channels, in order, without those it was excepted from;
//   - the server counts the same connections, channels, subscriptions and members as the model.
var (
	lifeChannels = []realtime.Channel{"presence-a", "presence-b", "private-a", "lobby", "presence-cache-a"}
	lifeUsers    = []string{"ann", "bob", "eve"}
)

const lifeClients = 4

// life is the model and the clients.
type life struct {
	t       *testing.T
	f       *fixture
	clients [lifeClients]*lifeClient // nil while not connected
	events  int
}

type lifeClient struct {
	*realtimetest.Client
	subs  map[realtime.Channel]string          // the model: as which user, "" on a public channel
	want  []string                             // the model: events to come
	knows map[realtime.Channel]map[string]bool // what the client has been told of members
}

// step does what four bytes say.
func (l *life) step(op, client, channel, user byte) {
	t, i := l.t, client%lifeClients
	ch, who := lifeChannels[int(channel)%len(lifeChannels)], lifeUsers[int(user)%len(lifeUsers)]
	c := l.clients[i]
	if c == nil {
		c = &lifeClient{l.f.connect(), map[realtime.Channel]string{}, nil, map[realtime.Channel]map[string]bool{}}
		l.clients[i] = c
	}
	switch op % 8 {
	case 0, 1, 2:
		if _, ok := c.subs[ch]; ok {
			return
		}
		var g realtime.Grant
		if ch.Kind() == realtime.KindPublic {
			who = ""
		} else {
			g = l.f.grantFor(c.Client, ch, &realtime.Member{UserID: who})
		}
		c.subs[ch] = who
		require.NoError(t, c.Send(t.Context(), "pusher:subscribe", map[string]string{
			"channel": string(ch), "auth": g.Auth, "channel_data": g.ChannelData,
		}))
	case 3:
		l.read(c) // what comes later is nothing that it had not asked for
		delete(c.subs, ch)
		delete(c.knows, ch)
		require.NoError(t, c.Unsubscribe(t.Context(), ch))
	case 4:
		l.clients[i] = nil
		c.Close()
	case 5:
		l.clients[i] = nil
		c.Cut()
	case 6:
		l.broadcast(ch, c, user%2 == 0)
	case 7:
		l.revoke(ch, who)
	}
}

func (l *life) broadcast(ch realtime.Channel, from *lifeClient, except bool) {
	if strings.Contains(string(ch), "cache") {
		return // what it remembers is another test's
	}
	l.events++
	ev := realtime.Event{Channel: ch, Name: "n", Data: fmt.Append(nil, l.events)}
	if except {
		ev.Except = from.SocketID()
	}
	require.NoError(l.t, l.f.Broadcast(l.t.Context(), ev))
	for _, c := range l.clients {
		if c == nil || except && c == from {
			continue
		}
		if _, ok := c.subs[ch]; ok {
			c.want = append(c.want, fmt.Sprint(ch, " ", l.events))
		}
	}
}

func (l *life) revoke(ch realtime.Channel, keep string) {
	if ch.Kind() == realtime.KindPublic {
		return
	}
	require.NoError(l.t, l.f.Revoke(l.t.Context(), realtime.Revocation{Channels: []realtime.Channel{ch}, Keep: []string{keep}}))
	for _, c := range l.clients {
		if c == nil {
			continue
		}
		if who, ok := c.subs[ch]; ok && who != keep {
			delete(c.subs, ch)
		}
	}
	pass(time.Second) // who subscribes from now on has a new grant
}

// read has a client take note of everything that it has been sent.
func (l *life) read(c *lifeClient) {
	require.NoError(l.t, c.Sync(l.t.Context()))
	for f, ok := c.Waiting(); ok; f, ok = c.Waiting() {
		l.receive(c, f)
	}
}

// settle has all clients read, and compares.
func (l *life) settle() {
	pass(10 * time.Millisecond) // readers that pause get to what they were sent
	members := map[realtime.Channel]map[string]bool{}
	connections, subscriptions := 0, 0
	for _, c := range l.clients {
		if c == nil {
			continue
		}
		connections++
		subscriptions += len(c.subs)
		for ch, who := range c.subs {
			if members[ch] == nil {
				members[ch] = map[string]bool{}
			}
			members[ch][who] = true
		}
	}
	for _, c := range l.clients {
		if c == nil {
			continue
		}
		l.read(c)
		require.Empty(l.t, c.want, "events are missing")
		for ch := range c.knows {
			require.Contains(l.t, c.subs, ch, "it does not know that it is out")
		}
		for ch := range c.subs {
			if ch.Kind() == realtime.KindPresence {
				require.Equal(l.t, members[ch], c.knows[ch], ch)
			}
		}
	}
	stats := l.f.Stats()
	require.Equal(l.t, []int{connections, len(members), subscriptions}, []int{stats.Connections, stats.Channels, stats.Subscriptions})
	for _, ch := range lifeChannels {
		if ch.Kind() == realtime.KindPresence {
			require.Equal(l.t, slices.Sorted(maps.Keys(members[ch])), l.f.Users(ch), ch)
		}
	}
}

// receive is one message of the server to a client.
func (l *life) receive(c *lifeClient, f realtimetest.Frame) {
	var data struct {
		UserID   string `json:"user_id"`
		Presence *struct {
			IDs   []string
			Hash  map[string]any
			Count int
		}
	}
	_ = json.Unmarshal(f.Data, &data)
	known := c.knows[f.Channel]
	switch f.Event {
	case "pusher_internal:subscription_succeeded":
		require.Nil(l.t, known)
		if data.Presence != nil {
			known = map[string]bool{}
			for _, id := range data.Presence.IDs {
				known[id] = true
			}
			require.Len(l.t, data.Presence.Hash, data.Presence.Count)
			require.Len(l.t, known, data.Presence.Count)
			c.knows[f.Channel] = known
		}
	case "pusher_internal:member_added":
		require.NotNil(l.t, known)
		require.False(l.t, known[data.UserID], "added twice")
		known[data.UserID] = true
	case "pusher_internal:member_removed":
		require.True(l.t, known[data.UserID], "removed, but was not there")
		delete(known, data.UserID)
	case "pusher:subscription_error":
		delete(c.knows, f.Channel)
	case "pusher:cache_miss":
	case "n":
		require.NotEmpty(l.t, c.want, "an event too many")
		got := fmt.Sprint(f.Channel, " ", string(f.Data))
		i := slices.Index(c.want, got)
		require.GreaterOrEqual(l.t, i, 0, got)
		for _, before := range c.want[:i] { // between two channels there is no order
			require.False(l.t, strings.HasPrefix(before, string(f.Channel)+" "), "%s before %s", got, before)
		}
		c.want = slices.Delete(c.want, i, i+1)
	default:
		require.Fail(l.t, "unexpected", string(f.Raw))
	}
}

// live runs the steps of a script. The clients read after every one of them or, with a first byte that is odd, after
// every fifth.
func live(t *testing.T, script []byte) {
	if len(script) == 0 {
		return
	}
	every := 1
	if script[0]%2 == 1 {
		every = 5
	}
	script = script[1:min(len(script), 400)]
	inBubble(t, func(t *testing.T, f *fixture) {
		l := &life{t: t, f: f}
		for n := 0; len(script) >= 4; n++ {
			l.step(script[0], script[1], script[2], script[3])
			script = script[4:]
			synctest.Wait() // what the step has sent has been acted upon
			if n%every == 0 {
				l.settle()
			}
		}
		l.settle()
	}, func(c *ws.Config) {
		off := ws.Rate{PerSecond: -1}
		c.SubscribeRate, c.MessageRate, c.ConnectRate = off, off, off
		c.ActivityTimeout = time.Hour
	})
}

func FuzzLifecycle(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 1, 0, 1, 6, 0, 0, 0, 4, 1, 0, 0})
	f.Add([]byte{1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 5, 0, 0, 0, 7, 0, 0, 1, 0, 3, 0, 0})
	f.Fuzz(live)
}

// TestLifecycle runs scripts of chance. A failure names its seed.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			script := make([]byte, 400)
			for i := range script {
				script[i] = byte(r.Uint32())
			}
			live(t, script)
		})
	}
}
