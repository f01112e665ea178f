package crowd_test

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/examples/internal/crowd"
	"github.com/murph-chat/murph/examples/internal/demo"
)

// start serves the application over a WebSocket server of its own and returns the address.
func start(t *testing.T) string {
	t.Helper()
	transport, err := demo.WebSocket()
	require.NoError(t, err)
	app, err := demo.New(t.Context(), demo.Config{DB: filepath.Join(t.TempDir(), "crowd.db")}, transport)
	require.NoError(t, err)
	server := httptest.NewServer(app)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), demo.DrainTime) // t.Context() is over
		defer cancel()
		require.NoError(t, app.Shutdown(ctx))
		server.Close()
		require.NoError(t, app.Close())
	})
	return server.URL
}

func TestTabsFollowTheChannels(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := crowd.Open(ctx, crowd.Config{URL: start(t), Consultations: 2, Tabs: 2, PerSecond: 5})
	require.NoError(t, err)
	t.Cleanup(c.Close)

	writing, stop := context.WithCancel(ctx)
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.Write(writing)
	}()
	for range 3 {
		require.NoError(t, c.Reassign(ctx))
	}
	stop()
	<-written
	_, err = c.Converge(ctx)
	require.NoError(t, err)

	before, err := c.Report(ctx)
	require.NoError(t, err)
	writing, stop = context.WithTimeout(ctx, time.Second)
	defer stop()
	c.Write(writing)
	_, err = c.Converge(ctx)
	require.NoError(t, err)

	report, err := c.Report(ctx)
	require.NoError(t, err)
	t.Log(report)
	require.Greater(t, report.Deliveries, before.Deliveries, "the new channels carry events")
	require.Equal(t, report.Written, report.Acked)
	require.Equal(t, report.Acked, report.Stored)
	require.Zero(t, report.Lost)
	require.Zero(t, report.Doubled)
	require.Zero(t, report.Echoes)
	require.Zero(t, report.Contradictions)
}
