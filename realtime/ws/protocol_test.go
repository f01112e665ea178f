package ws_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// TestAnswers sends messages and compares what the server says to each, and that it goes on afterwards.
func TestAnswers(t *testing.T) {
	t.Parallel()
	f := start(t)
	c := f.connect()
	protocolError := func(message string) string {
		return `{"event":"pusher:error","data":{"code":null,"message":"` + message + `"}}`
	}
	refused := func(channel, kind, message string, status int) string {
		return fmt.Sprintf(`{"event":"pusher:subscription_error","channel":%q,"data":{"type":%q,"error":%q,"status":%d}}`,
			channel, kind, message, status)
	}
	succeeded := func(channel string) string {
		return `{"event":"pusher_internal:subscription_succeeded","channel":"` + channel + `","data":"{}"}`
	}
	subscribe := func(channel string) string {
		return `{"event":"pusher:subscribe","data":{"channel":"` + channel + `","auth":""}}`
	}
	const pong = `{"event":"pusher:pong","data":{}}`
	for _, c2 := range []struct{ name, message, want string }{
		{"ping", `{"event":"pusher:ping","data":{}}`, pong},
		{"ping without data", `{"event":"pusher:ping"}`, pong},
		{"pong", `{"event":"pusher:pong"}`, ""},
		{"public", subscribe("lobby"), succeeded("lobby")},
		{"public again", subscribe("lobby"), protocolError("Existing subscription to channel lobby")},
		{"data in a string", `{"event":"pusher:subscribe","data":"{\"channel\":\"news\"}"}`, succeeded("news")},
		{"unsubscribe", `{"event":"pusher:unsubscribe","data":{"channel":"news"}}`, ""},
		{"subscribe after unsubscribe", subscribe("news"), succeeded("news")},
		{"unsubscribe from what is not subscribed", `{"event":"pusher:unsubscribe","data":{"channel":"x"}}`, ""},
		{"unsubscribe from nothing", `{"event":"pusher:unsubscribe","data":{}}`, protocolError("Malformed message")},
		{"private without auth", subscribe("private-a"), refused("private-a", "AuthError", "Invalid signature", 401)},
		{"encrypted without auth", subscribe("private-encrypted-a"),
			refused("private-encrypted-a", "AuthError", "Invalid signature", 401)},
		{"presence without auth", subscribe("presence-a"), refused("presence-a", "AuthError", "Invalid signature", 401)},
		{"private cache without auth", subscribe("private-cache-a"),
			refused("private-cache-a", "AuthError", "Invalid signature", 401)},
		{"bad name", subscribe("a b"), refused("a b", "AuthError", "Invalid channel name", 400)},
		{"a user's channel", subscribe("#server-to-user-1"),
			refused("#server-to-user-1", "AuthError", "Not signed in as the user of this channel", 401)},
		{"nobody's channel", subscribe("#server-to-user-"), refused("#server-to-user-", "AuthError", "Invalid channel name", 400)},
		{"another channel like it", subscribe("#server-to-group-1"),
			refused("#server-to-group-1", "AuthError", "Invalid channel name", 400)},
		{"long name", subscribe(strings.Repeat("a", 201)),
			refused(strings.Repeat("a", 201), "AuthError", "Invalid channel name", 400)},
		{"no channel", `{"event":"pusher:subscribe","data":{}}`, protocolError("Malformed subscription")},
		{"no data", `{"event":"pusher:subscribe"}`, protocolError("Malformed subscription")},
		{"client event", `{"event":"client-typing","channel":"private-a","data":{}}`,
			`{"event":"pusher:error","data":{"code":4301,"message":"Client events are not enabled"}}`},
		{"sign-in without data", `{"event":"pusher:signin"}`, protocolError("Malformed sign-in")},
		{"sign-in without a signature", `{"event":"pusher:signin","data":{}}`,
			`{"event":"pusher:error","data":{"code":4009,"message":"Invalid signature"}}`},
		{"unknown", `{"event":"hello"}`, protocolError("Unknown event")},
		{"protocol's own", `{"event":"pusher_internal:member_added","channel":"lobby"}`, protocolError("Unknown event")},
		{"not JSON", `hello`, protocolError("Malformed message")},
		{"empty", ``, protocolError("Malformed message")},
		{"array", `[]`, protocolError("Malformed message")},
		{"no event", `{}`, protocolError("Malformed message")},
		{"event is a number", `{"event":1}`, protocolError("Malformed message")},
		{"duplicate key", `{"event":"pusher:ping","event":"pusher:pong"}`, protocolError("Malformed message")},
		{"NUL", `{"event":"pusher:ping","data":"\u0000"}`, protocolError("Malformed message")},
		{"deep", `{"event":"pusher:ping","data":` + strings.Repeat("[", 17) + strings.Repeat("]", 17) + `}`,
			protocolError("Malformed message")},
	} {
		require.NoError(t, c.SendText(t.Context(), c2.message), c2.name)
		if c2.want == "" {
			require.NoError(t, c.Sync(t.Context()), c2.name)
			continue
		}
		frame, err := c.Next(t.Context())
		require.NoError(t, err, c2.name)
		require.Equal(t, c2.want, string(frame.Raw), c2.name)
	}
	require.Equal(t, 2, f.Stats().Subscriptions)
	require.EqualValues(t, 9, f.Stats().RefusedSubscriptions)
}

func TestEventOnTheWire(t *testing.T) {
	t.Parallel()
	f := start(t)
	c := f.connect()
	f.subscribe(c, private)
	f.broadcast(private, `{"content":"a\"b"}`)
	frame, err := c.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, `{"event":"new-message","channel":"private-consultation-1","data":"{\"content\":\"a\\\"b\"}"}`,
		string(frame.Raw))
}

func TestUnsubscribeEndsDelivery(t *testing.T) {
	t.Parallel()
	f := start(t)
	c := f.connect()
	f.subscribe(c, lobby, private)
	require.NoError(t, c.Unsubscribe(t.Context(), private))
	require.NoError(t, c.Sync(t.Context()))
	f.broadcast(private, "1")
	f.broadcast(lobby, "2")
	frame, err := c.NextEvent(t.Context())
	require.NoError(t, err)
	require.Equal(t, lobby, frame.Channel)
	require.Equal(t, 1, f.Stats().Channels)
}

// TestSignatures tries grants that were made for something else.
func TestSignatures(t *testing.T) {
	t.Parallel()
	f := start(t)
	mine, theirs := f.connect(), f.connect()
	member := &realtime.Member{UserID: "patient-1"}
	sign := func(s realtime.SocketID, ch realtime.Channel, m *realtime.Member) realtime.Grant {
		g, err := f.SignChannel(s, ch, m)
		require.NoError(t, err)
		return g
	}
	good := sign(mine.SocketID(), private, nil)
	bound := sign(mine.SocketID(), private, member)
	require.Regexp(t, `\A{"user_id":"patient-1","signed_at":\d+}\z`, bound.ChannelData)
	user, err := f.SignUser(mine.SocketID(), *member)
	require.NoError(t, err)
	for name, g := range map[string]realtime.Grant{
		"another socket":             sign(theirs.SocketID(), private, nil),
		"another channel":            sign(mine.SocketID(), "private-consultation-2", nil),
		"another key":                {Auth: strings.Replace(good.Auth, appKey, "other", 1)},
		"no key":                     {Auth: strings.TrimPrefix(good.Auth, appKey+":")},
		"upper case":                 {Auth: strings.ToUpper(good.Auth)},
		"cut off":                    {Auth: good.Auth[:len(good.Auth)-1]},
		"person left out":            {Auth: bound.Auth},
		"person added":               {Auth: good.Auth, ChannelData: bound.ChannelData},
		"person changed":             {Auth: bound.Auth, ChannelData: `{"user_id":"patient-2"}`},
		"person spelled differently": {Auth: bound.Auth, ChannelData: `{ "user_id":"patient-1"}`},
		"a sign-in":                  {Auth: user.Auth, ChannelData: user.UserData},
	} {
		var refused *realtimetest.RefusedError
		require.ErrorAs(t, mine.Subscribe(t.Context(), private, g), &refused, name)
		require.Contains(t, string(refused.Data), `"status":401`, name)
	}
	require.NoError(t, mine.Subscribe(t.Context(), private, bound))
	require.NoError(t, theirs.Subscribe(t.Context(), private, sign(theirs.SocketID(), private, nil)))
}

func TestTooManyChannels(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) { c.MaxChannels = 2 })
	c := f.connect()
	f.subscribe(c, "a", "b")
	var refused *realtimetest.RefusedError
	require.ErrorAs(t, c.Subscribe(t.Context(), "c", realtime.Grant{}), &refused)
	require.Contains(t, string(refused.Data), "LimitReached")
	require.NoError(t, c.Unsubscribe(t.Context(), "a"))
	f.subscribe(c, "c")
}

// TestBrokenFraming is the table of what ends a connection, with the codes of RFC 6455.
func TestBrokenFraming(t *testing.T) {
	t.Parallel()
	f := start(t)
	ping := []byte(`{"event":"pusher:ping"}`)
	big := func(n int) []byte { // a message of n bytes that is a ping
		return append(ping[:len(ping)-1:len(ping)-1], `,"pad":"`+strings.Repeat("x", n-len(ping)-9)+`"}`...)
	}
	for name, c := range map[string]struct {
		opcode  byte
		final   bool
		payload []byte
		want    int // 0 is a pong
	}{
		"whole":              {realtimetest.OpText, true, ping, 0},
		"as big as allowed":  {realtimetest.OpText, true, big(16 << 10), 0},
		"one byte more":      {realtimetest.OpText, true, big(16<<10 + 1), 1009},
		"much more":          {realtimetest.OpText, true, big(1 << 20), 1009},
		"binary":             {realtimetest.OpBinary, true, ping, 1003},
		"not UTF-8":          {realtimetest.OpText, true, []byte("{\"event\":\"\xff\"}"), 1007},
		"continues nothing":  {realtimetest.OpContinuation, true, ping, 1002},
		"unknown opcode":     {0x3, true, ping, 1002},
		"reserved bit":       {0x40 | realtimetest.OpText, true, ping, 1002},
		"long control frame": {realtimetest.OpPing, true, big(126), 1002},
		"split control":      {realtimetest.OpPing, false, nil, 1002},
		"client closes":      {realtimetest.OpClose, true, []byte{0x03, 0xe8}, 1000},
		"bad close code":     {realtimetest.OpClose, true, []byte{0x00, 0x01}, 1002},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := f.connect()
			require.NoError(t, client.SendFrame(t.Context(), c.opcode, c.final, c.payload))
			if c.want != 0 {
				require.Equal(t, c.want, closeCode(t, client))
				return
			}
			frame, err := client.Next(t.Context())
			require.NoError(t, err)
			require.Equal(t, "pusher:pong", frame.Event)
		})
	}
}

// TestFaultsAreCounted breaks the framing in the one way that the library leaves to the server to answer, and ends
// connections in all the ways that are nobody's fault.
func TestFaultsAreCounted(t *testing.T) {
	t.Parallel()
	for _, kind := range connectionKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f := startOn(t, kind)
			var line net.Conn
			connect := func() *realtimetest.Client {
				c, err := f.dialPath(path, &realtimetest.DialOptions{
					Dial: func(ctx context.Context, network, addr string) (_ net.Conn, err error) {
						line, err = f.dial(ctx, network, addr)
						return line, err
					},
				})
				require.NoError(t, err)
				return c
			}
			faulty := connect()
			_, err := line.Write([]byte{0x81, 0x01, 'x'}) // without a mask
			require.NoError(t, err)
			require.Equal(t, 1002, closeCode(t, faulty))
			for _, end := range []func(*realtimetest.Client) error{
				func(c *realtimetest.Client) error { c.Close(); return nil },
				func(c *realtimetest.Client) error { c.Cut(); return nil },
				func(c *realtimetest.Client) error { // within a frame
					_, err := line.Write([]byte{0x81, 0x85, 0, 0, 0, 0, 'x'})
					return errors.Join(err, below(line).Close())
				},
				func(*realtimetest.Client) error { // with a reset
					return errors.Join(below(line).SetLinger(0), below(line).Close())
				},
			} {
				c := connect()
				f.subscribe(c, lobby)
				require.NoError(t, end(c))
			}
			f.gone()
			require.Equal(t, map[int]uint64{1002: 1}, f.Stats().Closes)
		})
	}
}

// below is the socket under a connection.
func below(conn net.Conn) *net.TCPConn {
	if over, ok := conn.(*tls.Conn); ok {
		conn = over.NetConn()
	}
	return conn.(*net.TCPConn)
}

func TestFragments(t *testing.T) {
	t.Parallel()
	f := start(t)
	c := f.connect()
	require.NoError(t, c.SendFrame(t.Context(), realtimetest.OpText, false, []byte(`{"event":"pusher`)))
	require.NoError(t, c.SendFrame(t.Context(), realtimetest.OpPing, true, []byte("in between")))
	require.NoError(t, c.SendFrame(t.Context(), realtimetest.OpContinuation, false, nil))
	require.NoError(t, c.SendFrame(t.Context(), realtimetest.OpContinuation, true, []byte(`:ping"}`)))
	frame, err := c.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, "pusher:pong", frame.Event)
}

// TestChannelDataWithoutAUser subscribes with data that other SDKs sign for
// private channels. Only a presence channel needs a user id.
func TestChannelDataWithoutAUser(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, data := range []string{`{}`, `{"user_info":{"name":"Ann"}}`, `{"user_id":null}`, `{"user_id":""}`, `{"shift":"night"}`} {
		c := f.connect()
		require.NoError(t, c.Subscribe(t.Context(), private, signed(c, private, data)), data)
		var refused *realtimetest.RefusedError
		require.ErrorAs(t, c.Subscribe(t.Context(), room, signed(c, room, data)), &refused, data)
		require.Contains(t, string(refused.Data), "Invalid channel data", data)
	}
}
