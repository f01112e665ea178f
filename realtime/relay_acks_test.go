package realtime_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

// Acknowledgements that hang, as for a lock on the outbox, do not let the ids of what is sent meanwhile pile up.
func TestRelayBoundsWhatWaitsForAcknowledgement(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		stop := r.run()
		r.queue.hang("Ack")
		for range 70 {
			for range 1000 {
				r.commit("private-a")
			}
			pass(100 * time.Millisecond)
		}
		require.GreaterOrEqual(t, r.to.count(), 70_000)
		require.LessOrEqual(t, r.relay.WaitingAcks(), 50_000)
		r.queue.hang("")
		pass(time.Minute)
		require.Zero(t, r.pending())
		stop()
	})
}
