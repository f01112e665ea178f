package chat_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

func TestResyncEvent(t *testing.T) {
	t.Parallel()
	ev, ok := chat.ResyncEvent(consultation.Channel("7", 1))
	require.True(t, ok)
	require.Equal(t, realtime.Event{Channel: consultation.Channel("7", 1), Name: "resync-required",
		Data: []byte(`{"consultationId":"7","rev":0}`)}, ev)
	for _, ch := range []realtime.Channel{consultation.PresenceChannel("7", 1), consultation.EncryptedChannel("7", 1), "private-7", "x"} {
		_, ok := chat.ResyncEvent(ch)
		require.False(t, ok, ch)
	}
}
