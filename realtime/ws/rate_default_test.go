package ws_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/ws"
)

// TestBurstAlone changes the burst of a rate and leaves the rest to its default, as with the rates of the other packages.
func TestBurstAlone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		for range 3 {
			require.NoError(t, c.SendFrame(t.Context(), 9, true, nil))
		}
		require.Equal(t, 4100, closeCode(t, c))
	}, func(c *ws.Config) { c.PingRate.Burst = 2 })
}
