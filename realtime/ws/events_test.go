package ws_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/ws"
)

// notices keeps what the server says has happened.
type notices struct {
	mu  sync.Mutex
	all []string
}

func listen(f *fixture) *notices {
	l := &notices{}
	f.Listen(func(kind string, ch realtime.Channel, userID, event, data string, id realtime.SocketID, n int) {
		l.mu.Lock()
		defer l.mu.Unlock()
		text := strings.Join([]string{kind, string(ch), userID, event, data, string(id), fmt.Sprint(n)}, "|")
		l.all = append(l.all, text)
	})
	return l
}

// take returns what has happened since the last call, when all is quiet.
func (l *notices) take() []string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.all
	l.all = nil
	return all
}

func TestNotices(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		l := listen(f)
		a, b, c := f.connect(), f.connect(), f.connect()
		f.subscribe(a, lobby)
		f.subscribe(b, lobby)
		require.NoError(t, b.Unsubscribe(t.Context(), lobby))
		require.Equal(t, []string{"channel_occupied|lobby|||||0", "subscription_count|lobby|||||1",
			"subscription_count|lobby|||||2", "subscription_count|lobby|||||1"}, l.take())
		f.join(a, room, "ann")
		f.join(b, room, "ann")
		f.join(c, room, "bob")
		require.Equal(t, []string{"channel_occupied|presence-room|||||0", "member_added|presence-room|ann||||0",
			"member_added|presence-room|bob||||0"}, l.take())

		require.NoError(t, c.Trigger(t.Context(), room, "client-x", "text"))
		require.NoError(t, c.Sync(t.Context()))
		require.NoError(t, a.Trigger(t.Context(), room, "client-x", map[string]int{"n": 1}))
		require.NoError(t, a.Trigger(t.Context(), lobby, "client-x", 1)) // refused
		require.NoError(t, a.Sync(t.Context()))
		require.Equal(t, []string{fmt.Sprintf("client_event|presence-room|bob|client-x|text|%s|0", c.SocketID()),
			fmt.Sprintf(`client_event|presence-room|ann|client-x|{"n":1}|%s|0`, a.SocketID())}, l.take())

		f.subscribe(a, "private-cache-a")
		f.subscribe(b, "private-cache-a")
		require.Equal(t, []string{"channel_occupied|private-cache-a|||||0", "cache_miss|private-cache-a|||||0",
			"subscription_count|private-cache-a|||||1", "cache_miss|private-cache-a|||||0",
			"subscription_count|private-cache-a|||||2"}, l.take())

		f.signIn(c, "bob", "")
		require.NoError(t, c.Subscribe(t.Context(), "#server-to-user-bob", realtime.Grant{}))
		require.Empty(t, l.take(), "users' channels are nobody's business")

		a.Cut()
		require.ElementsMatch(t, []string{"subscription_count|lobby|||||0", "channel_vacated|lobby|||||0",
			"subscription_count|private-cache-a|||||1"}, l.take())
		require.NoError(t, f.Revoke(t.Context(), realtime.Revocation{Channels: []realtime.Channel{room}, Keep: []string{"bob"}}))
		require.Equal(t, []string{"member_removed|presence-room|ann||||0"}, l.take())
		c.Close()
		require.Equal(t, []string{"member_removed|presence-room|bob||||0", "channel_vacated|presence-room|||||0"}, l.take())
	}, func(c *ws.Config) { c.SubscriptionCount, c.ClientEvents = true, []string{"client-x"} })
}

// TestNoticesAreInOrder has several connections come and go at once: occupied and vacated take turns.
func TestNoticesAreInOrder(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) { c.SubscribeRate.PerSecond, c.MessageRate.PerSecond = -1, -1 })
	l := listen(f)
	var wg sync.WaitGroup
	for range 4 {
		c := f.connect()
		wg.Go(func() {
			for range 100 {
				if err := c.Subscribe(t.Context(), lobby, realtime.Grant{}); err != nil {
					t.Error(err)
				}
				if err := c.Unsubscribe(t.Context(), lobby); err != nil {
					t.Error(err)
				}
			}
			if err := c.Sync(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.NoError(t, f.Shutdown(t.Context()))
	l.mu.Lock()
	defer l.mu.Unlock()
	require.NotEmpty(t, l.all)
	for i, got := range l.all {
		want := "channel_occupied"
		if i%2 == 1 {
			want = "channel_vacated"
		}
		require.True(t, strings.HasPrefix(got, want), "%d: %s", i, got)
	}
	require.Zero(t, len(l.all)%2)
}

// TestNoticesSurviveAPanic has a receiver that fails.
func TestNoticesSurviveAPanic(t *testing.T) {
	t.Parallel()
	f := start(t)
	heard := make(chan string, 10)
	f.Listen(func(kind string, _ realtime.Channel, _, _, _ string, _ realtime.SocketID, _ int) {
		heard <- kind
		panic("a bug")
	})
	c := f.connect()
	f.subscribe(c, lobby)
	require.Equal(t, "channel_occupied", <-heard)
	require.NoError(t, c.Unsubscribe(t.Context(), lobby))
	require.Equal(t, "channel_vacated", <-heard)
	require.NoError(t, c.Sync(t.Context()))
}

// TestInherited is about who has left and come within the time before somebody else took over, and since.
func TestInherited(t *testing.T) {
	t.Parallel()
	const came, gone, count = "channel_occupied", "channel_vacated", "subscription_count"
	since := time.Unix(1000, 0)
	at := func(kind string, ch realtime.Channel, seconds float64) ws.Unsaid {
		return ws.Unsaid{Kind: kind, Channel: ch, At: since.Add(time.Duration(seconds * float64(time.Second)))}
	}
	require.Equal(t, []string{gone + "|away", gone + "|twice", came + "|new", gone + "|new", count + "|new"}, ws.Inherited(since,
		at(gone, "old", -3), at(came, "old", -4),
		at(gone, "away", -2.9), at(gone, "back", -2), at(came, "here", -2), at(gone, "twice", -2), at(count, "back", -2),
		at(came, "back", -1), at(came, "twice", -1), at(gone, "twice", -0.5),
		at(came, "new", 0.1), at(gone, "new", 0.2), at(count, "new", 0.3)))
	require.Empty(t, ws.Inherited(since.Add(time.Hour), at(gone, "a", 0), at(came, "b", 0)))
}
