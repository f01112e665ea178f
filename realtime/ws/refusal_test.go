package ws_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// never is so slow that nothing comes back within a test.
func never(burst int) ws.Rate { return ws.Rate{PerSecond: 1e-6, Burst: burst} }

// TestRefusalsAreLogged has clients meet every limit, and the log name the field
// of Config that changes it.
func TestRefusalsAreLogged(t *testing.T) {
	t.Parallel()
	dial := func(t *testing.T, f *fixture) {
		_, err := f.dialPath(path, nil)
		require.Error(t, err)
	}
	event := func(t *testing.T, f *fixture) {
		c := f.connect()
		f.subscribe(c, private)
		require.NoError(t, c.Trigger(t.Context(), private, "client-typing", "x"))
		require.NoError(t, c.Trigger(t.Context(), private, "client-typing", "x"))
		require.NoError(t, c.Sync(t.Context()))
	}
	subscribe := func(ch realtime.Channel, data string) func(*testing.T, *fixture) {
		return func(t *testing.T, f *fixture) {
			c := f.connect()
			f.join(c, room, "bob")
			require.Error(t, c.Subscribe(t.Context(), ch, signed(c, ch, data)))
		}
	}
	wait := func(t *testing.T, f *fixture) {
		closeCode(t, f.connect())
	}
	flood := func(opcode byte) func(*testing.T, *fixture) {
		return func(t *testing.T, f *fixture) {
			c := f.connect()
			for range 3 {
				require.NoError(t, c.SendFrame(t.Context(), opcode, true, nil))
			}
			closeCode(t, c)
		}
	}
	call := func(body string) func(*testing.T, *fixture) {
		return func(t *testing.T, f *fixture) {
			call := f.caller()
			r := call.sign("POST", "/apps/1/events", body)
			call.send(again(t, r, body))
			call.send(again(t, r, body))
		}
	}
	silentReader := func(t *testing.T, f *fixture) {
		c := f.connect()
		f.subscribe(c, lobby)
		for range 70 {
			f.broadcast(lobby, `"`+strings.Repeat("x", 5000)+`"`)
			pass(10 * time.Millisecond)
		}
	}
	for setting, c := range map[string]struct {
		change func(*ws.Config)
		meet   func(*testing.T, *fixture)
	}{
		"MaxConnections": {func(c *ws.Config) { c.MaxConnections = 1 }, func(t *testing.T, f *fixture) { f.connect(); dial(t, f) }},
		"ConnectRate":    {func(c *ws.Config) { c.ConnectRate = never(1) }, func(t *testing.T, f *fixture) { f.connect(); dial(t, f) }},
		"RequireOrigin":  {func(c *ws.Config) { c.RequireOrigin = true }, dial},
		"MessageRate":    {func(c *ws.Config) { c.MaxChannels, c.MessageRate = 1, never(2) }, flood(realtimetest.OpPong)},
		"PingRate":       {func(c *ws.Config) { c.PingRate = never(2) }, flood(realtimetest.OpPing)},
		"MaxMessageBytes": {func(c *ws.Config) { c.MaxMessageBytes = 10 }, func(t *testing.T, f *fixture) {
			c := f.connect()
			require.NoError(t, c.SendText(t.Context(), `{"event":"pusher:ping"}`))
			closeCode(t, c)
		}},
		"MaxQueueFrames": {func(c *ws.Config) { c.MaxQueueBytes = 1 << 20 }, silentReader},
		"MaxQueueBytes":  {func(c *ws.Config) { c.MaxQueueFrames = 1000 }, silentReader},
		"WriteTimeout": {func(*ws.Config) {}, func(t *testing.T, f *fixture) {
			c := f.connect()
			f.subscribe(c, lobby)
			f.broadcast(lobby, "1")
			pass(time.Minute)
		}},
		"MaxQueueMemory": {func(c *ws.Config) { c.MaxQueueMemory = 1000 }, silentReader},
		"MaxChannels":    {func(c *ws.Config) { c.MaxChannels = 1 }, subscribe(private, `{}`)},
		"MaxMembers": {func(c *ws.Config) { c.MaxMembers = 1 }, func(t *testing.T, f *fixture) {
			f.join(f.connect(), room, "ann")
			c := f.connect()
			require.Error(t, c.Subscribe(t.Context(), room, signed(c, room, `{"user_id":"bob"}`)))
		}},
		"MaxMemberInfo": {func(c *ws.Config) { c.MaxMemberInfo = 2 }, subscribe("presence-a", `{"user_id":"bob","user_info":{"a":1}}`)},
		"GrantTTL":      {func(*ws.Config) {}, subscribe(private, `{"user_id":"bob","signed_at":1}`)},
		"MaxUserConnections": {func(c *ws.Config) { c.MaxUserConnections = 1 }, func(t *testing.T, f *fixture) {
			f.signIn(f.connect(), "ann", "")
			c := f.connect()
			require.Error(t, c.SignIn(t.Context(), userGrant(c, `{"id":"ann"}`)))
		}},
		"ClientEvents":         {func(*ws.Config) {}, event},
		"MaxClientEventBytes":  {func(c *ws.Config) { typing(c); c.MaxClientEventBytes = 1 }, event},
		"ClientEventRate":      {func(c *ws.Config) { typing(c); c.ClientEventRate = never(1) }, event},
		"SubscribeTimeout":     {func(c *ws.Config) { c.SubscribeTimeout = time.Second }, wait},
		"AuthorizationTimeout": {func(c *ws.Config) { c.AuthorizationTimeout = time.Second }, wait},
		"MaxRequestBytes":      {func(c *ws.Config) { c.MaxRequestBytes = 1 }, call(`{}`)},
		"RefuseReplays":        {func(c *ws.Config) { c.RefuseReplays = true }, call(lobbyEvent("1"))},
	} {
		t.Run(setting, func(t *testing.T) {
			var log syncBuffer
			inBubble(t, func(t *testing.T, f *fixture) {
				c.meet(t, f)
				pass(time.Millisecond)
			}, c.change, func(c *ws.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			require.Equal(t, 1, strings.Count(log.String(), "setting=Config."+setting+" "), log.String())
		})
	}
}

// TestRefusalsOfAddressesAreLogged needs connections that have addresses.
func TestRefusalsOfAddressesAreLogged(t *testing.T) {
	t.Parallel()
	for setting, change := range map[string]func(*ws.Config){
		"MaxAddressConnections": func(c *ws.Config) { c.MaxAddressConnections = 1 },
		"AddressConnectRate":    func(c *ws.Config) { c.AddressConnectRate = never(1) },
	} {
		var log syncBuffer
		f := start(t, change, func(c *ws.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		f.connect()
		require.Equal(t, 4100, f.dialFrom())
		require.Contains(t, log.String(), "setting=Config."+setting)
		require.NotContains(t, log.String(), "127.0.0.1")
	}
}

// TestRefusalsAreLoggedOncePerMinute has a load test meet the rate of new
// connections.
func TestRefusalsAreLoggedOncePerMinute(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	inBubble(t, func(t *testing.T, f *fixture) {
		for range 510 {
			_, _ = f.dialPath(path, nil)
		}
		require.Equal(t, 1, strings.Count(log.String(), "setting=Config.ConnectRate"), log.String())
		require.Contains(t, log.String(), "times=1")
		pass(time.Minute)
		for range 510 {
			_, _ = f.dialPath(path, nil)
		}
		require.Equal(t, 2, strings.Count(log.String(), "setting=Config.ConnectRate"), log.String())
		require.Contains(t, log.String(), "times=10")
	}, func(c *ws.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
}
