package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

// expectRaw waits for the next message and compares all of it.
func (p *process) expectRaw(c *realtimetest.Client, want string) {
	p.t.Helper()
	frame, err := c.Next(p.t.Context())
	require.NoError(p.t, err)
	require.Equal(p.t, want, string(frame.Raw))
}

func (p *process) subscribeRaw(c *realtimetest.Client, ch realtime.Channel, user string) {
	p.t.Helper()
	g := p.authorize(c, ch, user)
	data := map[string]string{"channel": string(ch), "auth": g.Auth}
	if g.ChannelData != "" {
		data["channel_data"] = g.ChannelData
	}
	require.NoError(p.t, c.Send(p.t.Context(), "pusher:subscribe", data))
}

// TestTranscript holds, byte by byte, what the scripts in clients see through pusher-js.
func TestTranscript(t *testing.T) {
	t.Parallel()
	server := launch(t, "-client-events", "-subscription-count")
	client := sdk(server.addr)

	t.Run("public", func(t *testing.T) {
		t.Parallel()
		p := server.in(t)
		a, b := p.connect(), p.connect()
		p.subscribeRaw(a, "lobby", "")
		p.expectRaw(a, `{"event":"pusher_internal:subscription_succeeded","channel":"lobby","data":"{}"}`)
		p.expectRaw(a, `{"event":"pusher_internal:subscription_count","channel":"lobby","data":"{\"subscription_count\":1}"}`)
		p.subscribeRaw(b, "lobby", "")
		p.expectRaw(a, `{"event":"pusher_internal:subscription_count","channel":"lobby","data":"{\"subscription_count\":2}"}`)
		require.NoError(t, client.Trigger("lobby", "text", "hello <b>"))
		p.expectRaw(a, `{"event":"text","channel":"lobby","data":"hello <b>"}`)
		require.NoError(t, client.Trigger("lobby", "object", map[string]any{"n": 1}))
		p.expectRaw(a, `{"event":"object","channel":"lobby","data":"{\"n\":1}"}`)
		require.NoError(t, a.SendText(t.Context(), `{"event":"pusher:ping","data":{}}`))
		p.expectRaw(a, `{"event":"pusher:pong","data":{}}`)
		b.Cut()
		p.expectRaw(a, `{"event":"pusher_internal:subscription_count","channel":"lobby","data":"{\"subscription_count\":1}"}`)
	})

	t.Run("private", func(t *testing.T) {
		t.Parallel()
		p := server.in(t)
		a := p.connect()
		require.NoError(t, a.SendText(t.Context(), `{"event":"pusher:subscribe","data":{"channel":"private-t","auth":"app-key:0"}}`))
		p.expectRaw(a, `{"event":"pusher:subscription_error","channel":"private-t","data":{"type":"AuthError","error":"Invalid signature","status":401}}`)
		p.subscribeRaw(a, "private-t", "")
		p.expectRaw(a, `{"event":"pusher_internal:subscription_succeeded","channel":"private-t","data":"{}"}`)
	})

	t.Run("presence", func(t *testing.T) {
		t.Parallel()
		p := server.in(t)
		a, b, b2 := p.connect(), p.connect(), p.connect()
		const ch = "presence-t"
		p.subscribeRaw(a, ch, "1")
		p.expectRaw(a, `{"event":"pusher_internal:subscription_succeeded","channel":"presence-t","data":"{\"presence\":{\"ids\":[\"1\"],\"hash\":{\"1\":{\"name\":\"N1\"}},\"count\":1}}"}`)
		p.subscribeRaw(b, ch, "2")
		p.expect(b, "pusher_internal:subscription_succeeded")
		p.expectRaw(a, `{"event":"pusher_internal:member_added","channel":"presence-t","data":"{\"user_id\":\"2\",\"user_info\":{\"name\":\"N2\"}}"}`)
		p.subscribe(b2, ch, "2") // no news
		require.NoError(t, b.SendText(t.Context(), `{"event":"client-typing","channel":"presence-t","user_id":"1","data":{"on":true}}`))
		p.expectRaw(a, `{"event":"client-typing","channel":"presence-t","data":{"on":true},"user_id":"2"}`)
		b.Cut() // no news
		p.expect(b2, "client-typing")
		require.NoError(t, b2.Unsubscribe(t.Context(), ch))
		p.expectRaw(a, `{"event":"pusher_internal:member_removed","channel":"presence-t","data":"{\"user_id\":\"2\"}"}`)
	})

	t.Run("cache", func(t *testing.T) {
		t.Parallel()
		p := server.in(t)
		a, b := p.connect(), p.connect()
		p.subscribe(a, "private-cache-t", "")
		frames := []string{string(p.next(a).Raw), string(p.next(a).Raw)}
		require.Contains(t, frames, `{"event":"pusher:cache_miss","channel":"private-cache-t"}`)
		require.NoError(t, client.Trigger("private-cache-t", "e", map[string]any{"n": 1}))
		p.expectRaw(a, `{"event":"e","channel":"private-cache-t","data":"{\"n\":1}"}`)
		require.NoError(t, a.SendText(t.Context(), `{"event":"client-x","channel":"private-cache-t","data":{}}`))
		require.NoError(t, a.Sync(t.Context()))
		p.subscribe(b, "private-cache-t", "")
		frames = []string{string(p.next(b).Raw), string(p.next(b).Raw)}
		require.Contains(t, frames, `{"event":"e","channel":"private-cache-t","data":"{\"n\":1}"}`)
	})

	t.Run("client events out of place", func(t *testing.T) {
		t.Parallel()
		p := server.in(t)
		a := p.connect()
		for _, channel := range []string{"nowhere", "private-not-subscribed"} {
			require.NoError(t, a.SendText(t.Context(), fmt.Sprintf(`{"event":"client-x","channel":%q,"data":{}}`, channel)))
			frame := p.expect(a, "pusher:error")
			require.Contains(t, string(frame.Data), `"code":4301`)
		}
	})

	t.Run("users", func(t *testing.T) {
		t.Parallel()
		p := server.in(t)
		a, stranger := p.connect(), p.connect()
		p.signIn(a, "t-1")
		require.NoError(t, client.SendToUser("t-1", "e", map[string]any{"n": 1}))
		p.expectRaw(a, `{"event":"e","channel":"#server-to-user-t-1","data":"{\"n\":1}"}`)
		var refused *realtimetest.RefusedError
		require.ErrorAs(t, stranger.Subscribe(t.Context(), "#server-to-user-t-1", realtime.Grant{}), &refused)
		require.Equal(t, 200, p.post("/users/t-1/terminate_connections", "{}"))
		var closed *realtimetest.CloseError
		_, err := a.Next(t.Context())
		require.ErrorAs(t, err, &closed)
		require.Equal(t, 4009, closed.Code)
		require.NoError(t, stranger.Sync(t.Context()))
	})
}
