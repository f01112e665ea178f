package pusherproto_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// frameOf reads a frame as a client does: the data is a string with JSON in it.
func frameOf(t *testing.T, b []byte) (event string, ch realtime.Channel, data string) {
	t.Helper()
	var f struct {
		Event   string
		Channel realtime.Channel
		Data    string
	}
	require.NoError(t, json.Unmarshal(b, &f))
	return f.Event, f.Channel, f.Data
}

func TestPresenceFrames(t *testing.T) {
	t.Parallel()
	event, ch, data := frameOf(t, pusherproto.PresenceSucceeded("presence-a", map[string]json.RawMessage{
		"b": nil, `a"`: json.RawMessage(`{"name":"Ä \"x\""}`),
	}))
	require.Equal(t, "pusher_internal:subscription_succeeded", event)
	require.Equal(t, realtime.Channel("presence-a"), ch)
	require.Equal(t, `{"presence":{"ids":["a\"","b"],"hash":{"a\"":{"name":"Ä \"x\""},"b":{}},"count":2}}`, data)
	_, _, data = frameOf(t, pusherproto.PresenceSucceeded("presence-a", nil))
	require.Equal(t, `{"presence":{"ids":[],"hash":{},"count":0}}`, data)

	event, _, data = frameOf(t, pusherproto.MemberAdded("presence-a", realtime.Member{UserID: "1", Info: json.RawMessage(`{"a":1}`)}))
	require.Equal(t, "pusher_internal:member_added", event)
	require.Equal(t, `{"user_id":"1","user_info":{"a":1}}`, data)
	event, _, data = frameOf(t, pusherproto.MemberRemoved("presence-a", `"`))
	require.Equal(t, "pusher_internal:member_removed", event)
	require.Equal(t, `{"user_id":"\""}`, data)
	event, _, data = frameOf(t, pusherproto.SubscriptionCount("a", 9))
	require.Equal(t, "pusher_internal:subscription_count", event)
	require.Equal(t, `{"subscription_count":9}`, data)
	require.Equal(t, `{"event":"pusher:cache_miss","channel":"cache-a"}`, string(pusherproto.CacheMiss("cache-a")))
}

func TestClientEventFrame(t *testing.T) {
	t.Parallel()
	require.Equal(t, `{"event":"client-\"","channel":"private-a","data":"x","user_id":"u\""}`,
		string(pusherproto.AppendClientEvent(nil, "private-a", `client-"`, json.RawMessage(`"x"`), `u"`)))
	require.Equal(t, `{"event":"client-a","channel":"private-a"}`,
		string(pusherproto.AppendClientEvent(nil, "private-a", "client-a", nil, "")))
}

func TestUserFrames(t *testing.T) {
	t.Parallel()
	require.Equal(t, `{"event":"pusher:signin_success","data":{"user_data":"{\"id\":\"1\"}"}}`,
		string(pusherproto.SigninSuccess(`{"id":"1"}`)))
	u, err := pusherproto.ParseUserData(`{"id":1,"user_info":{"a":"<"}}`)
	require.NoError(t, err)
	require.Equal(t, pusherproto.UserData{
		Member: realtime.Member{UserID: "1", Info: json.RawMessage(`{"a":"<"}`)}, Text: `{"id":"1","user_info":{"a":"\u003c"}}`,
	}, u)
	u, err = pusherproto.ParseUserData(`{ "id" : "1" }`)
	require.NoError(t, err)
	require.Equal(t, `{ "id" : "1" }`, u.Text, "as it was signed")
	for want, b := range map[string][]byte{
		`{"events":[]}`: pusherproto.WatchlistEvents(nil, nil),
		`{"events":[{"name":"online","user_ids":["a","b\""]}]}`:                                   pusherproto.WatchlistEvents([]string{"a", `b"`}, nil),
		`{"events":[{"name":"offline","user_ids":["a"]}]}`:                                        pusherproto.WatchlistEvents(nil, []string{"a"}),
		`{"events":[{"name":"online","user_ids":["a"]},{"name":"offline","user_ids":["b","c"]}]}`: pusherproto.WatchlistEvents([]string{"a"}, []string{"b", "c"}),
	} {
		event, _, data := frameOf(t, b)
		require.Equal(t, "pusher_internal:watchlist_events", event)
		require.Equal(t, want, data)
	}
}

func TestUserChannel(t *testing.T) {
	t.Parallel()
	id, ok := pusherproto.ParseUserChannel(string(pusherproto.UserChannel("a@b.c")))
	require.True(t, ok)
	require.Equal(t, "a@b.c", id)
	_, err := realtime.ParseChannel("#server-to-user-a")
	require.ErrorIs(t, err, realtime.ErrInvalidChannel, "nothing can sign for it")
	for _, name := range []string{"", "#server-to-user-", "#server-to-user-a b", "#server-to-user-a:b", "server-to-user-a", "#server-to-user-ä"} {
		_, ok := pusherproto.ParseUserChannel(name)
		require.False(t, ok, name)
	}
}

func FuzzParseUserData(f *testing.F) {
	f.Add(`{"id":"1","user_info":{"a":1},"watchlist":["2"]}`)
	f.Add(`{"id":1}`)
	f.Fuzz(func(t *testing.T, s string) {
		u, err := pusherproto.ParseUserData(s)
		if err != nil {
			require.ErrorIs(t, err, pusherproto.ErrMalformed)
			return
		}
		_, ok := pusherproto.ParseUserChannel(string(pusherproto.UserChannel(u.UserID)))
		require.True(t, ok)
		require.True(t, u.Info == nil || json.Valid(u.Info))
	})
}

// FuzzPresenceFrames puts any text into the frames: what comes out is JSON that says the same.
func FuzzPresenceFrames(f *testing.F) {
	f.Add("1", `{"a":1}`)
	f.Fuzz(func(t *testing.T, id, info string) {
		m, err := json.Marshal(map[string]any{"user_id": id, "user_info": json.RawMessage("{}")})
		require.NoError(t, err)
		if json.Valid([]byte(info)) {
			m = []byte(`{"user_id":` + string(pusherproto.AppendString(nil, id)) + `,"user_info":` + info + `}`)
		}
		d, err := pusherproto.ParseChannelData(string(m))
		if err != nil {
			return
		}
		var got struct {
			UserID   string          `json:"user_id"`
			UserInfo json.RawMessage `json:"user_info"`
		}
		_, _, data := frameOf(t, pusherproto.MemberAdded("presence-a", d.Member))
		require.NoError(t, json.Unmarshal([]byte(data), &got))
		require.Equal(t, d.UserID, got.UserID)
		var p struct {
			Presence struct {
				IDs   []string
				Hash  map[string]json.RawMessage
				Count int
			}
		}
		_, _, data = frameOf(t, pusherproto.PresenceSucceeded("presence-a", map[string]json.RawMessage{d.UserID: d.Info}))
		require.NoError(t, json.Unmarshal([]byte(data), &p))
		require.Equal(t, []string{d.UserID}, p.Presence.IDs)
		require.Contains(t, p.Presence.Hash, d.UserID)
		require.Equal(t, 1, p.Presence.Count)
	})
}
