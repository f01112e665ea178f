package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/examples/internal/testenv"
)

const (
	webDir     = "../murph/web"
	clientsDir = "../pusherserver/clients"
)

// TestPage runs the page in a browser, with each of its requests and connections on another process than the last one.
func TestPage(t *testing.T) {
	browser := testenv.Browser(t, webDir)
	r := assemble(t, engineNATS, 3)
	testenv.RunNode(t, webDir, "chat.mjs", r.url, "CHROMIUM="+browser)
}

// TestRollingPusherJS restarts every process under the official client.
func TestRollingPusherJS(t *testing.T) {
	node := testenv.Node(t, clientsDir)
	r := assemble(t, engineNATS, 3)
	cmd := exec.CommandContext(t.Context(), node, filepath.Join("e2e", "rolling.mjs"))
	cmd.Dir, cmd.Stderr = clientsDir, os.Stderr
	cmd.Env = append(os.Environ(), "MURPH_URL="+r.url)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	require.Equal(t, "ready", lines.Text())

	writing, stop := context.WithCancel(t.Context())
	var tasks sync.WaitGroup
	written := 0
	tasks.Go(func() { written = write(writing, r.url) })
	for i := range r.nodes {
		require.NoError(t, r.fleet.restart(t.Context(), i))
		pause(t.Context(), 500*time.Millisecond)
	}
	stop()
	tasks.Wait()
	require.NoError(t, in.Close())
	require.True(t, lines.Scan(), "the clients have not ended with all messages")
	t.Log(lines.Text())
	var seen struct{ Clients, Messages, Reconnects, P99 int }
	require.NoError(t, json.Unmarshal(lines.Bytes(), &seen))
	require.NoError(t, cmd.Wait())
	require.Equal(t, written, seen.Messages)
	require.GreaterOrEqual(t, seen.Reconnects, seen.Clients)
}

// write writes into the demo consultation until ctx ends, each message again until it is stored, and returns how many
// those are.
func write(ctx context.Context, url string) int {
	for n := 0; ; n++ {
		body := fmt.Sprintf(`{"consultationId":"demo","content":"message %d","clientMessageId":"rolling-%[1]d"}`, n)
		for post(url, body) != nil {
			pause(ctx, 50*time.Millisecond)
		}
		if pause(ctx, 50*time.Millisecond); ctx.Err() != nil {
			return n + 1
		}
	}
}

func post(url, body string) error {
	req, err := http.NewRequest(http.MethodPost, url+"/api/nachrichten", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.AddCookie(&http.Cookie{Name: "murph_demo", Value: "patient-1"})
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusCreated && resp.StatusCode != http.StatusOK {
		return fmt.Errorf("post: %s", resp.Status)
	}
	return nil
}
