package ws_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/ws"
)

// TestCredentialsFromAFile reads them as package pusher does: a file that holds a secret often ends with a newline.
func TestCredentialsFromAFile(t *testing.T) {
	t.Parallel()
	s, err := ws.New(ws.Config{AppID: " 1", Key: "app-key\n", Secret: "app-secret\r\n"})
	require.NoError(t, err)
	require.Equal(t, "app-key", s.AppKey())
	plain, err := ws.New(ws.Config{AppID: "1", Key: "app-key", Secret: "app-secret"})
	require.NoError(t, err)
	want, err := plain.SignChannel("1.2", "private-a", nil)
	require.NoError(t, err)
	got, err := s.SignChannel("1.2", "private-a", nil)
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = ws.New(ws.Config{AppID: "1", Key: "app-key", Secret: " \n"})
	require.ErrorContains(t, err, "Config.Secret is required")
}
