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
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

const room = realtime.Channel("presence-room")

// present subscribes and returns the acknowledgement, as it was sent.
func present(f *fixture, c *realtimetest.Client, ch realtime.Channel, g realtime.Grant) string {
	f.t.Helper()
	require.NoError(f.t, c.Send(f.t.Context(), "pusher:subscribe", map[string]string{
		"channel": string(ch), "auth": g.Auth, "channel_data": g.ChannelData,
	}))
	return next(f.t, c)
}

// next returns the next message.
func next(t *testing.T, c *realtimetest.Client) string {
	t.Helper()
	frame, err := c.Next(t.Context())
	require.NoError(t, err)
	return string(frame.Raw)
}

// silent shows that nothing waits for the client but what has been read.
func silent(t *testing.T, clients ...*realtimetest.Client) {
	t.Helper()
	for _, c := range clients {
		require.NoError(t, c.Send(t.Context(), "pusher:ping", struct{}{}))
		require.Equal(t, `{"event":"pusher:pong","data":{}}`, next(t, c))
	}
}

// signed makes a grant for channel data of a foreign SDK.
func signed(c *realtimetest.Client, ch realtime.Channel, data string) realtime.Grant {
	cred := pusherproto.Credentials{Key: appKey, Secret: "app-secret"}
	return realtime.Grant{Auth: cred.ChannelAuth(c.SocketID(), ch, data), ChannelData: data}
}

func added(userID, info string) string {
	data, _ := json.Marshal(`{"user_id":"` + userID + `","user_info":` + info + `}`)
	return `{"event":"pusher_internal:member_added","channel":"presence-room","data":` + string(data) + `}`
}

func removed(userID string) string {
	return `{"event":"pusher_internal:member_removed","channel":"presence-room","data":"{\"user_id\":\"` + userID + `\"}"}`
}

// TestPresence is the transcript of two users who meet.
func TestPresence(t *testing.T) {
	t.Parallel()
	f := start(t)
	ann, bob := f.connect(), f.connect()
	info := json.RawMessage(`{"name":"Ann \"A\""}`)
	require.Equal(t, `{"event":"pusher_internal:subscription_succeeded","channel":"presence-room","data":`+
		`"{\"presence\":{\"ids\":[\"ann\"],\"hash\":{\"ann\":{\"name\":\"Ann \\\"A\\\"\"}},\"count\":1}}"}`,
		present(f, ann, room, f.grantFor(ann, room, &realtime.Member{UserID: "ann", Info: info})))

	// A number is an id too, and infos are optional.
	require.Equal(t, `{"event":"pusher_internal:subscription_succeeded","channel":"presence-room","data":`+
		`"{\"presence\":{\"ids\":[\"10\",\"ann\"],\"hash\":{\"10\":{},\"ann\":{\"name\":\"Ann \\\"A\\\"\"}},\"count\":2}}"}`,
		present(f, bob, room, signed(bob, room, `{"user_id":10}`)))
	require.Equal(t, added("10", "{}"), next(t, ann))
	silent(t, ann, bob) // nobody is told about themselves

	require.NoError(t, bob.Unsubscribe(t.Context(), room))
	require.NoError(t, bob.Sync(t.Context()))
	require.Equal(t, removed("10"), next(t, ann))
	present(f, bob, room, f.grantFor(bob, room, &realtime.Member{UserID: "bob", Info: info}))
	require.Equal(t, added("bob", string(info)), next(t, ann))
	ann.Cut()
	require.Equal(t, removed("ann"), next(t, bob))
	silent(t, bob)
}

// TestTwoTabs has a user come with one connection more, and go with one at a time.
func TestTwoTabs(t *testing.T) {
	t.Parallel()
	f := start(t)
	watcher, first, second := f.connect(), f.connect(), f.connect()
	f.join(watcher, room, "watcher")
	present(f, first, room, f.grantFor(first, room, &realtime.Member{UserID: "u", Info: json.RawMessage(`{"tab":1}`)}))
	ack := present(f, second, room, f.grantFor(second, room, &realtime.Member{UserID: "u", Info: json.RawMessage(`{"tab":2}`)}))
	require.Contains(t, ack, `\"count\":2`, "users, not connections")
	require.Contains(t, ack, `\"tab\":1`, "the first one's info stays")
	require.Equal(t, added("u", `{"tab":1}`), next(t, watcher))
	silent(t, watcher, first)

	first.Close()
	require.NoError(t, second.Unsubscribe(t.Context(), room))
	require.NoError(t, second.Sync(t.Context()))
	require.Equal(t, removed("u"), next(t, watcher))
	silent(t, watcher)
}

// TestReload has a page go and come back. On the wire that is a member who leaves and one who joins; it is webhooks that
// wait whether they come back.
func TestReload(t *testing.T) {
	t.Parallel()
	f := start(t)
	watcher, before := f.connect(), f.connect()
	f.join(watcher, room, "watcher")
	f.join(before, room, "u")
	before.Close()
	require.Equal(t, added("u", "{}"), next(t, watcher))
	require.Equal(t, removed("u"), next(t, watcher))
	f.join(f.connect(), room, "u")
	require.Equal(t, added("u", "{}"), next(t, watcher))
	silent(t, watcher)
	require.Equal(t, 2, f.Stats().Subscriptions)
}

// TestKilledClientLeaves has a device lose its network without a word: nobody closes the connection.
func TestKilledClientLeaves(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		watcher := f.connect()
		f.join(watcher, room, "watcher")
		killed, err := f.dialPath(path, &realtimetest.DialOptions{Mute: true})
		require.NoError(t, err)
		f.join(killed, room, "u")
		require.Equal(t, added("u", "{}"), next(t, watcher))
		began := time.Now()
		go func() { // the pings arrive, so to speak, and nothing comes back
			for {
				if _, err := killed.Next(t.Context()); err != nil {
					return
				}
			}
		}()
		for {
			if message := next(t, watcher); message == removed("u") {
				break
			}
		}
		require.LessOrEqual(t, time.Since(began), 45*time.Second)
		pass(time.Minute)
		synctest.Wait()
	})
}

func TestPresenceIsLimited(t *testing.T) {
	t.Parallel()
	f := start(t)
	for i := range 100 {
		f.join(f.connect(), room, fmt.Sprintf("user-%03d", i))
	}
	c := f.connect()
	var refused *realtimetest.RefusedError
	require.ErrorAs(t, c.Subscribe(t.Context(), room, f.grantFor(c, room, &realtime.Member{UserID: "late"})), &refused)
	require.JSONEq(t, `{"type":"LimitReached","error":"The channel has too many members","status":403}`, string(refused.Data))
	f.join(c, room, "user-007") // is one of them already
	require.Equal(t, 101, f.Stats().Subscriptions)
}

func TestMemberLimits(t *testing.T) {
	t.Parallel()
	f := start(t)
	c := f.connect()
	info := func(n int) string { return `{"n":"` + strings.Repeat("x", n-8) + `"}` }
	var refused *realtimetest.RefusedError
	for name, m := range map[string]struct {
		data, problem string
		status        int
	}{
		"info":      {`{"user_id":"u","user_info":` + info(1025) + `}`, "The member's info is too large", 413},
		"user id":   {`{"user_id":"` + strings.Repeat("u", 129) + `"}`, "Invalid channel data", 400},
		"nobody":    {`{"user_info":{}}`, "Invalid channel data", 400},
		"empty id":  {`{"user_id":""}`, "Invalid channel data", 400},
		"object":    {`{"user_id":{}}`, "Invalid channel data", 400},
		"two ids":   {`{"user_id":"u","user_id":"v"}`, "Invalid channel data", 400},
		"no object": {`"u"`, "Invalid channel data", 400},
	} {
		require.ErrorAs(t, c.Subscribe(t.Context(), room, signed(c, room, m.data)), &refused, name)
		want := fmt.Sprintf(`{"type":"AuthError","error":%q,"status":%d}`, m.problem, m.status)
		require.JSONEq(t, want, string(refused.Data), name)
	}
	ok := `{"user_id":"` + strings.Repeat("u", 128) + `","user_info":` + info(1024) + `}`
	require.NoError(t, c.Subscribe(t.Context(), room, signed(c, room, ok)))
}

// TestPresenceOfSignedInUser needs no channel data, which wins if it is there.
func TestPresenceOfSignedInUser(t *testing.T) {
	t.Parallel()
	f := start(t)
	c := f.connect()
	var refused *realtimetest.RefusedError
	require.ErrorAs(t, c.Subscribe(t.Context(), room, signed(c, room, "")), &refused)
	require.Contains(t, string(refused.Data), "Not signed in")
	f.signIn(c, "ann", `{"name":"Ann"}`)
	require.Contains(t, present(f, c, room, signed(c, room, "")), `\"hash\":{\"ann\":{\"name\":\"Ann\"}}`)
	require.Contains(t, present(f, c, "presence-2", signed(c, "presence-2", `{"user_id":"other"}`)), `\"ids\":[\"other\"]`)
}

func TestMemberOptions(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) { c.MaxMembers, c.MaxMemberInfo = 1, 2 })
	c := f.connect()
	var refused *realtimetest.RefusedError
	require.ErrorAs(t, c.Subscribe(t.Context(), room, signed(c, room, `{"user_id":"u","user_info":[1]}`)), &refused)
	require.NoError(t, c.Subscribe(t.Context(), room, signed(c, room, `{"user_id":"u","user_info":[ ]}`)))
	other := f.connect()
	require.ErrorAs(t, other.Subscribe(t.Context(), room, signed(other, room, `{"user_id":"v"}`)), &refused)
}
