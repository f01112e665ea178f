package ws_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// userGrant makes a grant for user data of a foreign SDK.
func userGrant(c *realtimetest.Client, data string) realtime.UserGrant {
	cred := pusherproto.Credentials{Key: appKey, Secret: "app-secret"}
	return realtime.UserGrant{Auth: cred.UserAuth(c.SocketID(), data), UserData: data}
}

func (f *fixture) signIn(c *realtimetest.Client, userID, info string) {
	f.t.Helper()
	m := realtime.Member{UserID: userID}
	if info != "" {
		m.Info = json.RawMessage(info)
	}
	g, err := f.SignUser(c.SocketID(), m)
	require.NoError(f.t, err)
	require.NoError(f.t, c.SignIn(f.t.Context(), g))
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	f := start(t)
	ann, twin, bob := f.connect(), f.connect(), f.connect()
	data := `{"id":"ann","user_info":{"name":"Ann"}}`
	require.NoError(t, ann.Send(t.Context(), "pusher:signin", userGrant(ann, data)))
	require.Equal(t, `{"event":"pusher:signin_success","data":`+
		`{"user_data":"{\"id\":\"ann\",\"user_info\":{\"name\":\"Ann\"}}"}}`, next(t, ann))
	f.signIn(ann, "ann", "") // again
	f.signIn(twin, "ann", "")
	f.signIn(bob, "bob", "")

	const anns = realtime.Channel("#server-to-user-ann")
	var refused *realtimetest.RefusedError
	for name, c := range map[string]*realtimetest.Client{"another user": bob, "nobody": f.connect()} {
		require.ErrorAs(t, c.Subscribe(t.Context(), anns, realtime.Grant{}), &refused, name)
		require.Contains(t, string(refused.Data), `"status":401`)
	}
	require.NoError(t, ann.Subscribe(t.Context(), anns, realtime.Grant{}))
	require.NoError(t, twin.Subscribe(t.Context(), anns, realtime.Grant{}))
	require.NoError(t, f.SendToUser(t.Context(), "ann", "notice", json.RawMessage(`{"n":1}`)))
	for _, c := range []*realtimetest.Client{ann, twin} {
		require.Equal(t, `{"event":"notice","channel":"#server-to-user-ann","data":"{\"n\":1}"}`, next(t, c))
	}
	silent(t, bob)
	require.NoError(t, f.SendToUser(t.Context(), "nobody", "notice", json.RawMessage(`1`)))
	for name, err := range map[string]error{
		"the way of everybody": f.Broadcast(t.Context(), realtime.Event{Channel: anns, Name: "notice", Data: []byte("1")}),
		"a bad id":             f.SendToUser(t.Context(), "a b", "notice", json.RawMessage(`1`)),
		"no JSON":              f.SendToUser(t.Context(), "ann", "notice", json.RawMessage(`x`)),
		"a reserved name":      f.SendToUser(t.Context(), "ann", "pusher:error", json.RawMessage(`1`)),
		"too large": f.SendToUser(t.Context(), "ann", "notice",
			json.RawMessage(`"`+strings.Repeat("x", realtime.MaxEventData)+`"`)),
	} {
		require.ErrorIs(t, err, realtime.ErrInvalidEvent, name)
	}
	require.ErrorIs(t, f.SendToUser(ended(), "ann", "notice", json.RawMessage(`1`)), ended().Err())

	requireClosed(t, 2, f)
	require.Equal(t, 4009, closeCode(t, ann)) // does not come back by itself
	require.Equal(t, 4009, closeCode(t, twin))
	requireClosed(t, 0, f)
	require.NoError(t, bob.Sync(t.Context()))
}

// TestSignInWithANumber has the answer carry the id as a string: pusher-js takes
// nothing else.
func TestSignInWithANumber(t *testing.T) {
	t.Parallel()
	f := start(t)
	c := f.connect()
	require.NoError(t, c.Send(t.Context(), "pusher:signin", userGrant(c, `{"id":17, "user_info":{"n":1.50}}`)))
	require.Equal(t, `{"event":"pusher:signin_success","data":{"user_data":"{\"id\":\"17\",\"user_info\":{\"n\":1.50}}"}}`, next(t, c))
	require.NoError(t, c.Subscribe(t.Context(), "#server-to-user-17", realtime.Grant{}))
}

func TestSignInIsRefused(t *testing.T) {
	t.Parallel()
	f := start(t)
	c, other := f.connect(), f.connect()
	f.signIn(c, "ann", "")
	for name, g := range map[string]realtime.UserGrant{
		"another user":       userGrant(c, `{"id":"bob"}`),
		"a foreign grant":    userGrant(other, `{"id":"ann"}`),
		"another's number":   userGrant(c, `{"id":1}`),
		"a fraction":         userGrant(c, `{"id":1.5}`),
		"a negative number":  userGrant(c, `{"id":-1}`),
		"no id":              userGrant(c, `{}`),
		"an empty id":        userGrant(c, `{"id":""}`),
		"a long id":          userGrant(c, `{"id":"`+strings.Repeat("a", 129)+`"}`),
		"an id with a colon": userGrant(c, `{"id":"a:b"}`),
		"a bad watchlist":    userGrant(c, `{"id":"ann","watchlist":"bob"}`),
		"an id twice":        userGrant(c, `{"id":"ann","id":"bob"}`),
		"a large info":       userGrant(c, `{"id":"ann","user_info":"`+strings.Repeat("x", 1024)+`"}`),
		"a channel's grant": {
			Auth: signed(c, room, `{"user_id":"ann"}`).Auth, UserData: `{"id":"ann"}`,
		},
	} {
		var refused *realtimetest.RefusedError
		require.ErrorAs(t, c.SignIn(t.Context(), g), &refused, name)
		require.Contains(t, string(refused.Data), `"code":4009`, name)
	}
	require.NoError(t, c.Sync(t.Context()), "the connection goes on")
	requireClosed(t, 1, f)
}

func TestWatchlist(t *testing.T) {
	t.Parallel()
	f := start(t)
	bob := f.connect()
	f.signIn(bob, "bob", "")
	ann := f.connect()
	event := func(events string) string {
		data, _ := json.Marshal(`{"events":[` + events + `]}`)
		return `{"event":"pusher_internal:watchlist_events","data":` + string(data) + `}`
	}
	require.NoError(t, ann.SignIn(t.Context(), userGrant(ann, `{"id":"ann","watchlist":["bob","eve","bob"]}`)))
	require.Equal(t, event(`{"name":"online","user_ids":["bob"]},{"name":"offline","user_ids":["eve"]}`), next(t, ann))
	eve, tab := f.connect(), f.connect()
	f.signIn(eve, "eve", "")
	require.Equal(t, event(`{"name":"online","user_ids":["eve"]}`), next(t, ann))
	f.signIn(tab, "eve", "")
	f.signIn(f.connect(), "mallory", "")
	tab.Close()
	silent(t, ann)
	eve.Cut()
	require.Equal(t, event(`{"name":"offline","user_ids":["eve"]}`), next(t, ann))
	bob.Close()
	require.Equal(t, event(`{"name":"offline","user_ids":["bob"]}`), next(t, ann))
	ann.Close()
	back := f.connect()
	f.signIn(back, "bob", "") // nobody is left to hear of it
	silent(t, back)
}

func TestWatchlistIsLimited(t *testing.T) {
	t.Parallel()
	f := start(t)
	last := f.connect()
	f.signIn(last, "user-100", "")
	ids := make([]string, 101)
	for i := range ids {
		ids[i] = fmt.Sprintf("user-%d", i)
	}
	watch := func(ids []string) *realtimetest.Client {
		data, err := json.Marshal(map[string]any{"id": "ann", "watchlist": ids})
		require.NoError(t, err)
		c := f.connect()
		require.NoError(t, c.SignIn(t.Context(), userGrant(c, string(data))))
		return c
	}
	full := watch(ids[:100])
	require.Contains(t, next(t, full), "user-99")
	silent(t, full)
	c := watch(ids)
	first := next(t, c)
	require.Contains(t, first, "user-99")
	require.NotContains(t, first, "user-100")
	require.Contains(t, next(t, c), `"code":4302`)
	last.Close()
	silent(t, c)
}

func TestConnectionsPerUser(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) { c.MaxUserConnections = 2 })
	a, b, c := f.connect(), f.connect(), f.connect()
	f.signIn(a, "ann", "")
	f.signIn(a, "ann", "") // again
	f.signIn(b, "ann", "")
	var refused *realtimetest.RefusedError
	require.ErrorAs(t, c.SignIn(t.Context(), userGrant(c, `{"id":"ann"}`)), &refused)
	require.Contains(t, string(refused.Data), "4100")
	f.signIn(c, "bob", "")
	a.Close()
	f.waitConnections(2)
	f.signIn(f.connect(), "ann", "")
}

// TestTabsOfOneMember has one member subscribe in more tabs than a user may be
// signed in on.
func TestTabsOfOneMember(t *testing.T) {
	t.Parallel()
	f := start(t)
	for range 21 {
		tab := f.connect()
		f.join(tab, room, "ann")
		f.join(tab, private, "ann")
	}
	require.Equal(t, []string{"ann"}, f.Users(room))
}

// TestPeopleAreForgotten has users come in every way that makes the server remember them, and go.
func TestPeopleAreForgotten(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) { c.MaxUserConnections = 1 })
	watcher, member, tied, other := f.connect(), f.connect(), f.connect(), f.connect()
	require.NoError(t, watcher.SignIn(t.Context(), userGrant(watcher, `{"id":"ann","watchlist":["bob","nobody"]}`)))
	f.join(member, room, "bob")
	f.join(tied, private, "carl")
	require.Error(t, other.SignIn(t.Context(), userGrant(other, `{"id":"ann"}`)), "one connection too many")
	require.Equal(t, 4, f.People())
	require.NoError(t, tied.Unsubscribe(t.Context(), private))
	require.NoError(t, tied.Sync(t.Context()))
	require.Equal(t, 3, f.People())
	member.Close()
	f.waitConnections(3)
	require.Equal(t, 3, f.People(), "bob is watched")
	watcher.Cut()
	f.waitConnections(2)
	require.Zero(t, f.People())
}

// TestOwnChannelIsFree shows that the user's own channel comes on top of those that a connection may have.
func TestOwnChannelIsFree(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) { c.MaxChannels = 1 })
	c := f.connect()
	f.signIn(c, "ann", "")
	f.subscribe(c, lobby)
	require.NoError(t, c.Subscribe(t.Context(), "#server-to-user-ann", realtime.Grant{}))
	var refused *realtimetest.RefusedError
	require.ErrorAs(t, c.Subscribe(t.Context(), "other", realtime.Grant{}), &refused)
	require.NoError(t, c.Unsubscribe(t.Context(), lobby))
	f.subscribe(c, "other")
}

// requireClosed closes the connections of ann.
func requireClosed(t *testing.T, n uint64, f *fixture) {
	t.Helper()
	before := f.Stats().Closes[4009]
	require.NoError(t, f.TerminateUser(t.Context(), "ann"))
	require.Equal(t, n, f.Stats().Closes[4009]-before)
}
