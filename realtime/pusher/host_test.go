package pusher_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/pusher"
)

func TestConfigTakesHostsInEveryForm(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"realtime.example.org":      "realtime.example.org",
		"realtime.example.org.":     "realtime.example.org.",
		"realtime.example.org:6001": "realtime.example.org:6001",
		"localhost":                 "localhost",
		"soketi_1:6001":             "soketi_1:6001",
		"127.0.0.1:80":              "127.0.0.1:80",
		"::1":                       "[::1]",
		"[::1]":                     "[::1]",
		"[::1]:6001":                "[::1]:6001",
		"[2001:db8::17]:65535":      "[2001:db8::17]:65535",
		" realtime.example.org\n":   "realtime.example.org",
		"   ":                       "api-eu.pusher.com",
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			var hosts []string
			b, err := pusher.New(pusher.Config{
				AppID: " 17", Key: key + "\n", Secret: "\t" + secret, Cluster: " eu ", Host: host, Privacy: pusher.PrivacyThin,
				Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
					hosts = append(hosts, r.URL.Host)
					require.Equal(t, key, r.URL.Query().Get("auth_key"))
					return answer(r, http.StatusOK), nil
				}),
			})
			require.NoError(t, err)
			require.NoError(t, b.Broadcast(t.Context(), event()))
			require.NoError(t, b.Check(t.Context()))
			require.NoError(t, b.TerminateUser(t.Context(), "p"))
			require.Equal(t, []string{want, want, want}, hosts)
		})
	}
}

// Each of these would make an address that no event can be sent to.
func TestConfigRefusesWhatMakesNoAddress(t *testing.T) {
	t.Parallel()
	ok := pusher.Config{AppID: "1", Key: "k", Secret: "s", Cluster: "eu"}
	for _, host := range []string{
		"http://x", "https://x:1", "//x", "x/y", "a b", "x y:1", "x:", "x:0", "x:65536", "x:http", "x:-1", "x:+1", "x: 1", "x:1:2",
		":6001", "[::1", "::1]", "[::1]x", "[::1]:", "[::1]:0", "[1.2.3.4]", "[x]", "fe80::1%eth0", "[fe80::1%25eth0]:1",
		"user:password@x", "x?y", "x#y", "x..y", ".x", ".", "\x00", "x\ny", "ü.example.org",
	} {
		cfg := ok
		cfg.Host = host
		_, err := pusher.New(cfg)
		require.ErrorContains(t, err, "Config.Host", "%q", host)
		require.NotContains(t, err.Error(), "password")
	}
	for _, word := range []string{"a/b", "a b", "a?b", "a&b", "ä", "a%20b"} {
		_, err := pusher.New(pusher.Config{AppID: word, Key: word, Secret: " ", Cluster: word, Privacy: 9})
		for _, want := range []string{"Config.AppID", "Config.Key", "Config.Secret", "Config.Cluster", "Config.Privacy"} {
			require.ErrorContains(t, err, want, word)
		}
	}
}

func TestConfigFromEnvJoinsHostAndPort(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ host, port, want string }{
		{"realtime.example.org", "", "realtime.example.org"},
		{"realtime.example.org", " 6001 ", "realtime.example.org:6001"},
		{"realtime.example.org:6001", "", "realtime.example.org:6001"},
		{"realtime.example.org:6001", " ", "realtime.example.org:6001"},
		{"::1", "6001", "[::1]:6001"},
		{"[::1]", "6001", "[::1]:6001"},
		{"[::1]:6001", "", "[::1]:6001"},
		{"", "443", ""}, // as frameworks write it: the cluster's own port
	} {
		cfg, err := pusher.ConfigFromEnv(env(map[string]string{
			"PUSHER_APP_ID": "1", "PUSHER_KEY": "k", "PUSHER_SECRET": "s", "PUSHER_CLUSTER": "eu",
			"PUSHER_HOST": c.host, "PUSHER_PORT": c.port, "PUSHER_SCHEME": " HTTPS ",
		}))
		require.NoError(t, err, c)
		require.Equal(t, c.want, cfg.Host)
		require.False(t, cfg.Insecure)
	}
}

func TestConfigFromEnvNamesAllThatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ host, port, scheme, names string }{
		{"h:6001", "6001", "", "PUSHER_PORT"},
		{"[::1]:6001", "6001", "", "PUSHER_PORT"},
		{"h", "http", "", "PUSHER_PORT"},
		{"h", "0", "", "PUSHER_PORT"},
		{"h", "65536", "", "PUSHER_PORT"},
		{"", "x", "", "PUSHER_PORT"},
		{"http://h", "", "", "PUSHER_HOST"},
		{"[::1", "6001", "", "PUSHER_HOST"},
		{"a b", "6001", "", "PUSHER_HOST"},
		{"h", "", "ftp", "PUSHER_SCHEME"},
		{"h", "", "https://", "PUSHER_SCHEME"},
	} {
		cfg, err := pusher.ConfigFromEnv(env(map[string]string{
			"PUSHER_APP_ID": "1", "PUSHER_KEY": "k", "PUSHER_SECRET": "s", "PUSHER_CLUSTER": "eu",
			"PUSHER_HOST": c.host, "PUSHER_PORT": c.port, "PUSHER_SCHEME": c.scheme,
		}))
		require.ErrorContains(t, err, c.names, c)
		require.Zero(t, cfg)
	}

	_, err := pusher.ConfigFromEnv(env(map[string]string{
		"PUSHER_KEY": "k", "PUSHER_HOST": "canary:canary@h", "PUSHER_PORT": "canary", "PUSHER_SCHEME": "canary",
	}))
	var missing *pusher.MissingEnvError
	require.ErrorAs(t, err, &missing)
	require.Equal(t, []string{"PUSHER_APP_ID", "PUSHER_SECRET"}, missing.Names)
	for _, name := range []string{"PUSHER_HOST", "PUSHER_PORT", "PUSHER_SCHEME"} {
		require.ErrorContains(t, err, name)
	}
	require.NotContains(t, err.Error(), "canary")
}
