package ws_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/ws"
)

// TestSweepThatFailsIsLoggedOncePerMinute has a database that is down: each batch of each round fails.
func TestSweepThatFailsIsLoggedOncePerMinute(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		f.join(c, private, "student")
		pass(5 * time.Minute)
		lines := strings.Count(log.String(), "subscriptions not checked")
		require.Positive(t, lines)
		require.LessOrEqual(t, lines, 6)
		require.Contains(t, log.String(), "database gone")
	}, func(c *ws.Config) {
		c.ActivityTimeout = time.Hour // the client does not read
		c.Authorize, c.AuthorizeInterval = (&host{err: errors.New("database gone")}).Authorize, time.Second
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
}
