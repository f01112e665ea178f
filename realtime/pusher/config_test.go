package pusher_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/pusher"
)

func env(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

func TestConfigFromEnv(t *testing.T) {
	t.Parallel()
	want := pusher.Config{AppID: "1", Key: "key", Secret: "secret", Cluster: "eu"}
	for name, vars := range map[string]map[string]string{
		"as deployed": {"PUSHER_APP_ID": "1", "PUSHER_SECRET": "secret",
			"NEXT_PUBLIC_PUSHER_KEY": "key", "NEXT_PUBLIC_PUSHER_CLUSTER": "eu"},
		"plain names":        {"PUSHER_APP_ID": "1", "PUSHER_SECRET": "secret", "PUSHER_KEY": "key", "PUSHER_CLUSTER": "eu"},
		"white space around": {"PUSHER_APP_ID": " 1", "PUSHER_SECRET": "secret\n", "PUSHER_KEY": "key", "PUSHER_CLUSTER": "eu"},
		"both names": {"PUSHER_APP_ID": "1", "PUSHER_SECRET": "secret", "NEXT_PUBLIC_PUSHER_KEY": "key",
			"PUSHER_KEY": "other", "NEXT_PUBLIC_PUSHER_CLUSTER": "", "PUSHER_CLUSTER": "eu"},
	} {
		got, err := pusher.ConfigFromEnv(env(vars))
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
}

func TestConfigFromEnvNamesEveryMissingVariable(t *testing.T) {
	t.Parallel()
	_, err := pusher.ConfigFromEnv(env(nil))
	require.EqualError(t, err, "pusher: missing in the environment: "+
		"PUSHER_APP_ID, NEXT_PUBLIC_PUSHER_KEY, PUSHER_SECRET, NEXT_PUBLIC_PUSHER_CLUSTER")

	cfg, err := pusher.ConfigFromEnv(env(map[string]string{"PUSHER_APP_ID": "  ", "PUSHER_SECRET": "canary", "PUSHER_KEY": "canary"}))
	var missing *pusher.MissingEnvError
	require.ErrorAs(t, err, &missing)
	require.Equal(t, []string{"PUSHER_APP_ID", "NEXT_PUBLIC_PUSHER_CLUSTER"}, missing.Names)
	require.NotContains(t, err.Error(), "canary")
	require.Zero(t, cfg)
}

func TestConfigFromProcessEnv(t *testing.T) { // not parallel: it sets the environment
	for _, name := range []string{"PUSHER_APP_ID", "PUSHER_SECRET", "PUSHER_KEY", "PUSHER_CLUSTER"} {
		t.Setenv(name, "v")
	}
	t.Setenv("NEXT_PUBLIC_PUSHER_KEY", "")
	t.Setenv("NEXT_PUBLIC_PUSHER_CLUSTER", "")
	cfg, err := pusher.ConfigFromEnv(nil)
	require.NoError(t, err)
	require.Equal(t, pusher.Config{AppID: "v", Key: "v", Secret: "v", Cluster: "v"}, cfg)
}

func TestSecretIsHidden(t *testing.T) {
	t.Parallel()
	cfg := pusher.Config{AppID: "1", Key: "key", Secret: "canary", Cluster: "eu"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		require.NotContains(t, fmt.Sprintf(format, cfg), "canary", format)
		require.NotContains(t, fmt.Sprintf(format, &cfg), "canary", format)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", slog.Any("config", cfg))
	require.NotContains(t, log.String(), "canary")
	require.Contains(t, log.String(), `"cluster":"eu"`)
}

func TestConfigFromEnvOfAServerOfOnesOwn(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"PUSHER_APP_ID": "1", "PUSHER_KEY": "k", "PUSHER_SECRET": "s",
		"PUSHER_HOST": "realtime.example.org", "PUSHER_PORT": "6001", "PUSHER_SCHEME": "http",
	}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	cfg, err := pusher.ConfigFromEnv(lookup)
	require.NoError(t, err)
	require.Equal(t, "realtime.example.org:6001", cfg.Host)
	require.True(t, cfg.Insecure)
	require.Empty(t, cfg.Cluster)
	delete(env, "PUSHER_SCHEME")
	delete(env, "PUSHER_PORT")
	cfg, err = pusher.ConfigFromEnv(lookup)
	require.NoError(t, err)
	require.Equal(t, "realtime.example.org", cfg.Host)
	require.False(t, cfg.Insecure)
}
