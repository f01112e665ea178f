package main

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/ws"
)

func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

func TestFlagsWinOverTheEnvironment(t *testing.T) {
	t.Parallel()
	s, err := parseSettings([]string{
		"-key", "flag", "-webhook", "https://a,https://b", "-webhook", "https://c", "-refuse-replays",
	}, environment(map[string]string{
		"MURPH_KEY": "own", "PUSHER_KEY": "hosted", "MURPH_WEBHOOK": "https://environment",
		"PUSHER_APP_ID": "7", "MURPH_SECRET": "own", "PUSHER_SECRET": "hosted",
		"MURPH_ADDR": "127.0.0.1:0", "MURPH_ORIGINS": "https://a.example, https://*.b.example",
		"MURPH_CLIENT_EVENTS": "true", "MURPH_SUBSCRIPTION_COUNT": "1", "MURPH_ALLOW_PRIVATE_WEBHOOKS": "true",
		"MURPH_TRUSTED_PROXIES": "10.0.0.1,fd00::/8", "MURPH_DRAIN": "5s", "MURPH_ACTIVITY_TIMEOUT": "2m",
		"MURPH_SUBSCRIBE_TIMEOUT": "40s",
	}))
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:0", s.addr)
	c := s.config
	require.Equal(t, []string{"7", "flag", "own"}, []string{c.AppID, c.Key, c.Secret})
	require.Equal(t, []ws.Webhook{{URL: "https://a"}, {URL: "https://b"}, {URL: "https://c"}}, c.Webhooks)
	require.Equal(t, []string{"https://a.example", "https://*.b.example"}, c.AllowedOrigins)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("fd00::/8")}, c.TrustedProxies)
	require.Equal(t, []string{"client-*"}, c.ClientEvents)
	require.True(t, c.SubscriptionCount)
	require.True(t, c.AllowPrivateWebhooks)
	require.True(t, c.RefuseReplays)
	require.Equal(t, 5*time.Second, c.DrainTime)
	require.Equal(t, 2*time.Minute, c.ActivityTimeout)
	require.Equal(t, 40*time.Second, c.SubscribeTimeout)
	_, err = ws.New(c)
	require.NoError(t, err)
}

// TestEmptyVariablesAreUnset is for deployments that name all variables.
func TestEmptyVariablesAreUnset(t *testing.T) {
	t.Parallel()
	s, err := parseSettings(nil, environment(map[string]string{
		"MURPH_KEY": "", "PUSHER_KEY": "hosted", "PUSHER_SECRET": "", "PUSHER_APP_SECRET": "app",
		"MURPH_CLIENT_EVENTS": "", "MURPH_DRAIN": "", "MURPH_ADDR": "", "MURPH_WEBHOOK": "",
	}))
	require.NoError(t, err)
	c := s.config
	require.Equal(t, []string{"127.0.0.1:6001", "hosted", "app"}, []string{s.addr, c.Key, c.Secret})
	require.Empty(t, c.ClientEvents)
	require.Empty(t, c.Webhooks)
	require.False(t, c.RefuseReplays)
	require.Equal(t, 30*time.Second, c.DrainTime)
}

func TestSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	for variable, value := range map[string]string{
		"MURPH_DRAIN": "canary", "MURPH_TRUSTED_PROXIES": "canary", "MURPH_CLIENT_EVENTS": "canary",
	} {
		_, err := parseSettings(nil, environment(map[string]string{variable: value}))
		require.ErrorContains(t, err, variable)
		require.NotContains(t, err.Error(), "canary")
	}
	_, err := parseSettings([]string{"run"}, environment(nil))
	require.Error(t, err)
	for _, tooShort := range []string{"0s", "-1s"} { // ws.Config has its defaults for 0
		for name, variable := range map[string]string{"-drain": "MURPH_DRAIN", "-activity-timeout": "MURPH_ACTIVITY_TIMEOUT"} {
			_, err = parseSettings([]string{name, tooShort}, environment(nil))
			require.ErrorContains(t, err, name, tooShort)
			_, err = parseSettings(nil, environment(map[string]string{variable: tooShort}))
			require.ErrorContains(t, err, name, tooShort)
		}
	}
	s, err := parseSettings(nil, environment(nil))
	require.NoError(t, err)
	_, err = ws.New(s.config)
	require.ErrorContains(t, err, "Config.AppID is required")
	require.ErrorContains(t, err, "Config.Secret is required")
}
