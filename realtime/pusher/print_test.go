package pusher_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/pusher"
)

// hiddenCanary stands for a secret.
const hiddenCanary = "canary-4711-secret"

// requireHidden prints a value in every way that a log or an error would, by
// itself and within others, and looks for the canary.
func requireHidden(t *testing.T, name string, v any, wire bool) {
	t.Helper()
	within := struct {
		Field any
		List  []any
		Map   map[string]any
	}{v, []any{v}, map[string]any{"a": v}}
	printed := map[string]string{}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		printed[format] = fmt.Sprintf(format, v)
		printed[format+" within"] = fmt.Sprintf(format, within)
		printed[format+" list"] = fmt.Sprintf(format, []any{v})
	}
	printed["error"] = fmt.Errorf("failed: %v", v).Error()
	var text, js strings.Builder
	for _, log := range []*slog.Logger{slog.New(slog.NewTextHandler(&text, nil)), slog.New(slog.NewJSONHandler(&js, nil))} {
		log.Info("x", slog.Any("value", v))
		log.With("value", v).Info("x", slog.Group("group", slog.Any("value", v)))
		if !wire { // a wire type within another one is encoded for the client
			log.Info("x", slog.Any("value", within))
		}
	}
	printed["slog text"], printed["slog json"] = text.String(), js.String()
	if !wire {
		b, err := json.Marshal(within)
		require.NoError(t, err, name)
		printed["json"] = string(b)
	}
	for how, s := range printed {
		for _, form := range []string{
			hiddenCanary, hex.EncodeToString([]byte(hiddenCanary)), base64.StdEncoding.EncodeToString([]byte(hiddenCanary)),
			strings.Trim(fmt.Sprint([]byte(hiddenCanary)), "[]"),
		} {
			require.NotContains(t, strings.ToLower(s), strings.ToLower(form), "%s: %s", name, how)
		}
	}
}

func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	cfg := pusher.Config{
		AppID: "1", Key: "k", Secret: hiddenCanary, Cluster: "eu", Privacy: pusher.PrivacyEncrypted,
		EncryptionKey: []byte(hiddenCanary + strings.Repeat("x", pusher.EncryptionKeyLength-len(hiddenCanary))),
	}
	b, err := pusher.New(cfg)
	require.NoError(t, err)
	for name, v := range map[string]any{"Config": cfg, "*Config": &cfg, "*Broadcaster": b} {
		requireHidden(t, name, v, false)
	}
	require.Contains(t, fmt.Sprint(b), "eu")
}
