package main

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/examples/internal/demo"
	"github.com/murph-chat/murph/examples/internal/testenv"
)

const (
	webDir = "../murph/web"
	canary = "canary-text-of-a-message"
)

// start serves the application over a transport and returns its address.
func start(t *testing.T, transport demo.Transport) string {
	t.Helper()
	cfg := demo.Config{DB: filepath.Join(t.TempDir(), "swap.db"), Web: filepath.Join(webDir, "dist")}
	app, err := demo.New(t.Context(), cfg, transport)
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

// pusher-http-go to our own server to pusher-js, at each level of privacy.
func TestHosted(t *testing.T) {
	t.Parallel()
	testenv.Node(t, webDir)
	for _, privacy := range []string{"full", "thin", "encrypted"} {
		t.Run(privacy, func(t *testing.T) {
			t.Parallel()
			b := newBroker(t)
			c := choice{transport: "pusher", host: b.host(), privacy: privacy, outbox: true}
			c.encryptionKey = strings.Repeat("k", 32)
			transport, err := c.pusher(b.config())
			require.NoError(t, err)
			testenv.RunNode(t, webDir, "hosted.mjs", start(t, transport), "MURPH_PRIVACY="+privacy, "MURPH_CANARY="+canary)

			b.mu.Lock()
			wire := strings.Join(b.bodies, "\n")
			b.mu.Unlock()
			require.Equal(t, privacy == "full", strings.Contains(wire, canary), "whether the broker sees the text")
			require.NotContains(t, b.log.String(), canary)
			require.NotContains(t, b.log.String(), secret)
		})
	}
}

func TestChoices(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]choice{
		"transport": {transport: "pigeon"},
		"privacy":   {transport: "pusher", privacy: "none"},
		"host":      {transport: "pusher", privacy: "full", host: "no-port"},
		"key":       {transport: "pusher", privacy: "encrypted", encryptionKey: "short"},
	} {
		var err error
		if c.transport == "pusher" {
			_, err = c.pusher((&broker{}).config())
		} else {
			_, err = c.make()
		}
		require.Error(t, err, name)
	}
}

// The same page works over each transport that this process can offer alone.
func TestPage(t *testing.T) {
	t.Parallel()
	testenv.Node(t, webDir)
	browser := testenv.Browser(t, webDir)
	for _, name := range []string{"websocket", "poll"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transport, err := choice{transport: name}.make()
			require.NoError(t, err)
			testenv.RunNode(t, webDir, "swap.mjs", start(t, transport), "CHROMIUM="+browser)
		})
	}
	t.Run("pusher", func(t *testing.T) {
		t.Parallel()
		b := newBroker(t)
		transport, err := choice{transport: "pusher", host: b.host(), privacy: "thin", outbox: true}.pusher(b.config())
		require.NoError(t, err)
		testenv.RunNode(t, webDir, "swap.mjs", start(t, transport), "CHROMIUM="+browser)
	})
}

// TestReassign has another student take over while people write. A hosted service cannot end the subscription of the
// former student, so there the change of the channel alone keeps later messages from them.
func TestReassign(t *testing.T) {
	t.Parallel()
	testenv.Node(t, webDir)
	browser := testenv.Browser(t, webDir)
	shots, err := filepath.Abs(filepath.Join("..", "..", "test-output", "page"))
	require.NoError(t, err)
	run := func(t *testing.T, name string, transport demo.Transport) {
		testenv.RunNode(t, webDir, "reassign.mjs", start(t, transport),
			"CHROMIUM="+browser, "MURPH_TRANSPORT="+name, "MURPH_SCREENSHOTS="+shots)
	}
	t.Run("websocket", func(t *testing.T) {
		transport, err := choice{transport: "websocket"}.make()
		require.NoError(t, err)
		run(t, "websocket", transport)
	})
	for _, privacy := range []string{"full", "encrypted"} {
		t.Run("pusher "+privacy, func(t *testing.T) {
			b := newBroker(t)
			c := choice{transport: "pusher", host: b.host(), privacy: privacy, outbox: true}
			c.encryptionKey = strings.Repeat("k", 32)
			transport, err := c.pusher(b.config())
			require.NoError(t, err)
			run(t, "pusher-"+privacy, transport)
		})
	}
}
