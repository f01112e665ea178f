package realtime_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

// canary stands for a secret.
const canary = "canary-4711-secret"

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
			canary, hex.EncodeToString([]byte(canary)), base64.StdEncoding.EncodeToString([]byte(canary)),
			strings.Trim(fmt.Sprint([]byte(canary)), "[]"),
		} {
			require.NotContains(t, strings.ToLower(s), strings.ToLower(form), "%s: %s", name, how)
		}
	}
}

func TestGrantsAreHidden(t *testing.T) {
	t.Parallel()
	grant := realtime.Grant{Auth: "k:" + canary, ChannelData: canary, SharedSecret: canary}
	user := realtime.UserGrant{Auth: "k:" + canary, UserData: canary}
	for name, v := range map[string]any{"Grant": grant, "*Grant": &grant, "UserGrant": user, "*UserGrant": &user} {
		requireHidden(t, name, v, true)
		b, err := json.Marshal(v)
		require.NoError(t, err)
		require.Contains(t, string(b), "k:"+canary, "the client gets it")
	}
}
