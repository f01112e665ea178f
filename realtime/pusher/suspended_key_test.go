package pusher_test

import (
	"io"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/pusher"
)

// A suspension gives the consultation a new audience of the same participants.
// The key that the suspended user holds must not open what comes after it.
func TestFixedNamesChangeTheKeyWithTheNumberOfTheAudience(t *testing.T) {
	t.Parallel()
	b, err := pusher.New(pusher.Config{
		AppID: "1", Key: "key", Secret: "secret", Cluster: "eu", Privacy: pusher.PrivacyEncrypted,
		EncryptionKey: make([]byte, pusher.EncryptionKeyLength), FixedChannel: consultation.FixedChannel,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	require.NoError(t, err)
	key := func(number int) string {
		to := consultation.NewAudience(number, "patient-1", "student-1")
		grant, err := b.SignChannel("1.1", consultation.EncryptedChannel("demo", 1),
			&realtime.Member{UserID: "student-1", Audience: to.String()})
		require.NoError(t, err)
		return grant.SharedSecret
	}
	require.NotEqual(t, key(1), key(2))
}
