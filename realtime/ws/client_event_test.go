package ws_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/ws"
)

func rejected(reason string) string {
	return `{"event":"pusher:error","data":{"code":4301,"message":"` + reason + `"}}`
}

func typing(c *ws.Config) { c.ClientEvents = []string{"client-typing"} }

// TestClientEvents sends events between two users, on the channels that have them.
func TestClientEvents(t *testing.T) {
	t.Parallel()
	f := start(t, typing)
	ann, bob := f.connect(), f.connect()
	for _, ch := range []realtime.Channel{room, private} {
		f.join(ann, ch, "ann")
		f.join(bob, ch, "bob")
	}
	require.Equal(t, added("bob", "{}"), next(t, ann))
	// The frame is built anew: nothing that the sender adds gets through, and nothing says who it is but the signature.
	require.NoError(t, ann.SendText(t.Context(), `{"event":"client-typing","channel":"presence-room","data":{"a":[1, "x"]},`+
		`"user_id":"bob","socket_id":"1.1","extra":true}`))
	require.Equal(t, `{"event":"client-typing","channel":"presence-room","data":{"a":[1, "x"]},"user_id":"ann"}`, next(t, bob))
	for data, want := range map[string]string{
		`,"data":"text"`: `,"data":"text"`, `,"data":null`: `,"data":null`, ``: ``, `,"data":[]`: `,"data":[]`,
	} {
		require.NoError(t, ann.SendText(t.Context(), `{"event":"client-typing","channel":"`+string(private)+`"`+data+`}`))
		require.Equal(t, `{"event":"client-typing","channel":"`+string(private)+`"`+want+`}`, next(t, bob))
	}
	silent(t, ann, bob) // never to the sender
}

func TestClientEventsAreRefused(t *testing.T) {
	t.Parallel()
	f := start(t, typing)
	c, other := f.connect(), f.connect()
	f.subscribe(c, lobby, private, "private-encrypted-a")
	f.subscribe(other, lobby, private, "private-b")
	const rules = "Client events are for private and presence channels"
	for name, e := range map[string]struct {
		channel realtime.Channel
		event   string
		data    any
		want    string
	}{
		"another name":     {private, "client-other", 1, "This client event is not allowed"},
		"public":           {lobby, "client-typing", 1, rules},
		"encrypted":        {"private-encrypted-a", "client-typing", 1, rules},
		"no channel":       {"", "client-typing", 1, rules},
		"not subscribed":   {"private-b", "client-typing", 1, "Client events need a subscription to the channel"},
		"too large":        {private, "client-typing", strings.Repeat("x", 2<<10), "The client event is too large"},
		"a user's channel": {"#server-to-user-ann", "client-typing", 1, rules},
	} {
		require.NoError(t, c.Trigger(t.Context(), e.channel, e.event, e.data), name)
		require.Equal(t, rejected(e.want), next(t, c), name)
	}
	for _, name := range []string{"pusher:ping ", "pusher_internal:member_added", "new-message", "client"} {
		require.NoError(t, c.Trigger(t.Context(), private, name, 1))
		require.Contains(t, next(t, c), "Unknown event")
	}
	require.NoError(t, c.Trigger(t.Context(), private, "client-typing", strings.Repeat("x", 2<<10-2)))
	require.Contains(t, next(t, other), "client-typing")
	silent(t, c, other)
}

func TestClientEventsAreOffByDefault(t *testing.T) {
	t.Parallel()
	f := start(t)
	c := f.connect()
	f.subscribe(c, private)
	require.NoError(t, c.Trigger(t.Context(), private, "client-typing", 1))
	require.Equal(t, rejected("Client events are not enabled"), next(t, c))
}

func TestAllClientEvents(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) { c.ClientEvents, c.MaxClientEventBytes = []string{"client-*"}, 10<<10 })
	c, other := f.connect(), f.connect()
	f.subscribe(c, private)
	f.subscribe(other, private)
	require.NoError(t, c.Trigger(t.Context(), private, "client-anything", strings.Repeat("x", 10<<10-2)))
	require.Contains(t, next(t, other), "client-anything")
}

// TestClientEventRate sends 20 at once, and one more every 100 ms.
func TestClientEventRate(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		f.subscribe(c, private)
		send := func(n int) (refused int) {
			for range n {
				require.NoError(t, c.Trigger(t.Context(), private, "client-typing", 1))
			}
			require.NoError(t, c.Sync(t.Context()))
			for frame, ok := c.Waiting(); ok; frame, ok = c.Waiting() {
				require.Equal(t, rejected("Too many client events"), string(frame.Raw))
				refused++
			}
			return refused
		}
		require.Equal(t, 3, send(23))
		pass(100 * time.Millisecond)
		require.Equal(t, 1, send(2))
		pass(time.Second)
		require.Equal(t, 2, send(12))
		pass(20 * time.Second)
		require.Equal(t, 1, send(21))
	}, typing)
}

// TestUnsubscribedClientEventNeverArrives takes the sender's subscription away first.
func TestUnsubscribedClientEventNeverArrives(t *testing.T) {
	t.Parallel()
	f := start(t, typing)
	c, other := f.connect(), f.connect()
	f.subscribe(c, private)
	f.subscribe(other, private)
	require.NoError(t, c.Unsubscribe(t.Context(), private))
	require.NoError(t, c.Trigger(t.Context(), private, "client-typing", 1))
	require.Contains(t, next(t, c), "4301")
	silent(t, other)
}
