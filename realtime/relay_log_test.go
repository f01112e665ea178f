package realtime_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

// A database that is down for long does not fill the log: a relay asks it several times a second.
func TestRelayLogsAnOutboxThatFailsOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		stop := r.run()
		for range 5 {
			r.commit("private-a")
		}
		r.queue.fail(errors.New("database gone"))
		pass(10 * time.Minute)
		lines := r.log.String()
		for _, kind := range []string{"outbox not read", "outbox not acknowledged"} {
			n := strings.Count(lines, kind)
			require.Positive(t, n, kind)
			require.LessOrEqual(t, n, 11, kind)
		}
		require.Contains(t, lines, "not_logged=")
		r.queue.fail(nil)
		pass(time.Minute)
		require.Zero(t, r.pending())
		stop()
	})
}
