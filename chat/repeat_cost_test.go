package chat_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
)

// A repeat above the rate is answered, but must not run the host's hook as often as a person likes.
func TestRepeatsAboveTheRateDoNotRunTheHook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		b := setup(t, chat.Options{
			WriteRate:  chat.Rate{PerSecond: 0.001, Burst: 1},
			BeforeSend: func(context.Context, chat.Draft) error { asked++; return nil },
		})
		p := text(patient, "Guten Tag")
		p.ClientMessageID = "key-1"
		for range 1000 {
			_, err := b.Send(t.Context(), p)
			require.NoError(t, err)
		}
		require.LessOrEqual(t, asked, 10, "calls of the hook")
	})
}
