package main

import (
	"net/netip"
	"reflect"
	"syscall"
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
		"MURPH_CLIENT_EVENTS": "false", "MURPH_SUBSCRIPTION_COUNT": "1", "MURPH_ALLOW_PRIVATE_WEBHOOKS": "true",
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
	require.Empty(t, c.ClientEvents)
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
		"PUSHER_APP_ID": "7", "MURPH_KEY": "", "PUSHER_KEY": "hosted", "PUSHER_SECRET": "", "PUSHER_APP_SECRET": "app",
		"MURPH_CLIENT_EVENTS": "", "MURPH_DRAIN": "", "MURPH_ADDR": "", "MURPH_WEBHOOK": "",
	}))
	require.NoError(t, err)
	c := s.config
	require.Equal(t, []string{"127.0.0.1:6001", "hosted", "app"}, []string{s.addr, c.Key, c.Secret})
	require.Equal(t, []string{"client-*"}, c.ClientEvents)
	require.Empty(t, c.Webhooks)
	require.False(t, c.RefuseReplays)
	require.Equal(t, 30*time.Second, c.DrainTime)
}

// TestValuesAreTrimmed gives flags and variables values as files and templates
// leave them.
func TestValuesAreTrimmed(t *testing.T) {
	t.Parallel()
	s, err := parseSettings([]string{"-key", " flag ", "-secret", "", "-addr", "  "}, environment(map[string]string{
		"MURPH_APP_ID": "  ", "PUSHER_APP_ID": " 7\n", "MURPH_SECRET": "own\n", "MURPH_DRAIN": " 5s ", "MURPH_CONNECT_RATE": " 7/9 ",
		"MURPH_MAX_CHANNELS": "\t12", "MURPH_ORIGINS": " https://a.example , ",
	}))
	require.NoError(t, err)
	c := s.config
	require.Equal(t, []string{"127.0.0.1:6001", "7", "flag", "own"}, []string{s.addr, c.AppID, c.Key, c.Secret})
	require.Equal(t, 5*time.Second, c.DrainTime)
	require.Equal(t, ws.Rate{PerSecond: 7, Burst: 9}, c.ConnectRate)
	require.Equal(t, 12, c.MaxChannels)
	require.Equal(t, []string{"https://a.example"}, c.AllowedOrigins)
}

func TestSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	_, err := parseSettings([]string{"run"}, environment(nil))
	require.ErrorContains(t, err, "no flags")
	// One error names all of it.
	wrong := map[string]string{
		"MURPH_DRAIN": "canary", "MURPH_TRUSTED_PROXIES": "canary", "MURPH_CLIENT_EVENTS": "canary",
		"MURPH_MAX_MEMBERS": "canary", "MURPH_PING_RATE": "canary", "MURPH_MESSAGE_RATE": "1/canary", "MURPH_ACTIVITY_TIMEOUT": "0s",
	}
	_, err = parseSettings(nil, environment(wrong))
	for variable := range wrong {
		if variable != "MURPH_ACTIVITY_TIMEOUT" {
			require.ErrorContains(t, err, variable)
		}
	}
	for _, part := range []string{"-activity-timeout must be", "-app-id", "MURPH_APP_ID, PUSHER_APP_ID", "-key", "-secret"} {
		require.ErrorContains(t, err, part)
	}
	require.NotContains(t, err.Error(), "canary")

	enough := map[string]string{"PUSHER_APP_ID": "1", "PUSHER_KEY": "k", "PUSHER_SECRET": "s"}
	for _, tooShort := range []string{"0s", "-1s"} { // ws.Config has its defaults for 0
		for _, name := range []string{"-drain", "-activity-timeout"} {
			_, err = parseSettings([]string{name, tooShort}, environment(enough))
			require.ErrorContains(t, err, name, tooShort)
		}
	}
}

// TestEveryLimitHasAFlag sets each field of ws.Config that can refuse something.
func TestEveryLimitHasAFlag(t *testing.T) {
	t.Parallel()
	values := map[reflect.Type]struct {
		text  string
		value any
	}{
		reflect.TypeFor[int]():           {"777", 777},
		reflect.TypeFor[int64]():         {"777", int64(777)},
		reflect.TypeFor[bool]():          {"true", true},
		reflect.TypeFor[time.Duration](): {"777s", 777 * time.Second},
		reflect.TypeFor[ws.Rate]():       {"777/888", ws.Rate{PerSecond: 777, Burst: 888}},
	}
	none := map[string]bool{"AuthorizeInterval": true} // of hosts that have Authorize
	for _, field := range reflect.VisibleFields(reflect.TypeFor[ws.Config]()) {
		want, ok := values[field.Type]
		if !ok || !field.IsExported() || none[field.Name] {
			continue
		}
		args := []string{"-app-id", "1", "-key", "k", "-secret", "s", "-" + flagFor(field.Name) + "=" + want.text}
		s, err := parseSettings(args, environment(nil))
		require.NoError(t, err, field.Name)
		require.Equal(t, want.value, reflect.ValueOf(s.config).FieldByIndex(field.Index).Interface(), field.Name)
	}
	for field, want := range map[string]string{
		"MaxConnections": "max-connections", "GrantTTL": "grant-ttl", "CacheTTL": "cache-ttl", "AllowedOrigins": "origins",
	} {
		require.Equal(t, want, flagFor(field))
	}
	s, err := parseSettings([]string{"-app-id", "1", "-key", "k", "-secret", "s"}, environment(nil))
	require.NoError(t, err)
	_, err = ws.New(s.config)
	require.NoError(t, err, "the defaults of the flags go together")
}

// TestLogNamesFlags has a client meet a limit.
func TestLogNamesFlags(t *testing.T) {
	t.Parallel()
	p := launch(t, "-max-connections", "1")
	p.connect()
	_, err := p.dial("/app/" + key + "?protocol=7")
	require.Error(t, err)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, p.end())
	require.Contains(t, p.log.String(), "flag=-max-connections")
	require.NotContains(t, p.log.String(), "Config.")
}
