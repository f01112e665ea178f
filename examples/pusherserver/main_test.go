package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/realtimetest"
)

// binary is the program, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "pusherserver")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "pusherserver")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

const (
	appID  = "1"
	key    = "app-key"
	secret = "app-secret"
)

// process is a running server.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	addr string // host:port
	log  *bytes.Buffer
	end  func() error // waits for the end; more than once if need be
}

// launch starts the program with more flags than the usual ones, and ends it with the test.
func launch(t *testing.T, flags ...string) *process {
	t.Helper()
	p := &process{t: t, log: new(bytes.Buffer)}
	p.cmd = exec.Command(binary, append([]string{"-addr", "127.0.0.1:0"}, flags...)...)
	p.cmd.Env = append(os.Environ(), "PUSHER_APP_ID="+appID, "PUSHER_KEY="+key, "PUSHER_SECRET="+secret)
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	p.end = sync.OnceValue(p.cmd.Wait)
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.end()
		if t.Failed() {
			t.Logf("log of the server:\n%s", p.log)
		}
	})
	require.NoError(t, err, "log: %s", p.log)
	_, addr, ok := strings.Cut(strings.TrimSpace(line), "http://")
	require.True(t, ok, line)
	p.addr = addr
	return p
}

// in is the same process for a subtest.
func (p *process) in(t *testing.T) *process {
	sub := *p
	sub.t = t
	return &sub
}

// connect opens a connection of the Go client.
func (p *process) connect() *realtimetest.Client {
	p.t.Helper()
	c, err := p.dial("/app/" + key + "?protocol=7&client=go&version=1.0.0")
	require.NoError(p.t, err)
	return c
}

func (p *process) dial(path string) (*realtimetest.Client, error) {
	c, err := realtimetest.Dial(p.t.Context(), "ws://"+p.addr+path, nil)
	if err == nil {
		p.t.Cleanup(c.Cut)
	}
	return c, err
}

func (p *process) get(path string) (int, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), "GET", "http://"+p.addr+path, nil)
	require.NoError(p.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(p.t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	require.NoError(p.t, err)
	return res.StatusCode, string(body)
}

// TestDrain sends SIGTERM to a server with a client, a webhook that waits, and a request under way.
func TestDrain(t *testing.T) {
	t.Parallel()
	hooks := receiveWebhooks(t)
	p := launch(t, "-webhook", hooks.url, "-allow-private-webhooks", "-drain", "20s")
	status, body := p.get("/healthz")
	require.Equal(t, 200, status)
	require.Equal(t, "ok\n", body)

	c := p.connect()
	p.subscribe(c, "lobby", "")
	hooks.next("channel_occupied")
	began := time.Now()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	_, err := c.Next(t.Context())
	var closed *realtimetest.CloseError
	require.ErrorAs(t, err, &closed)
	require.Equal(t, 4200, closed.Code)
	require.NoError(t, p.end())
	require.Less(t, time.Since(began), 10*time.Second) // one client takes no twenty seconds
	require.Equal(t, "lobby", hooks.next("channel_vacated").Channel)
	require.Contains(t, p.log.String(), "draining")
	require.Contains(t, p.log.String(), "stopped")
	require.NotContains(t, p.log.String(), secret)
}

func TestStartThatFails(t *testing.T) {
	t.Parallel()
	p := launch(t)
	for name, c := range map[string]struct {
		flags []string
		want  string
	}{
		"address in use":  {[]string{"-addr", p.addr, "-app-id", "1", "-key", "k", "-secret", "canary"}, "address already in use"},
		"no secret":       {[]string{"-app-id", "1", "-key", "k"}, "-secret, or one of the variables MURPH_SECRET, PUSHER_SECRET, PUSHER_APP_SECRET, must be set"},
		"unknown flag":    {[]string{"-nonsense"}, "not defined"},
		"private webhook": {[]string{"-app-id", "1", "-key", "k", "-secret", "canary", "-webhook", "http://127.0.0.1/"}, "not public"},
	} {
		cmd := exec.CommandContext(t.Context(), binary, c.flags...)
		cmd.Env = []string{}
		out, err := cmd.CombinedOutput()
		require.Error(t, err, name)
		require.Contains(t, string(out), c.want, name)
		require.NotContains(t, string(out), "canary", name)
	}
}

// TestRoutes asks for what is neither the API nor a client's. A client is answered by the WebSocket server on all paths,
// also on those that a mux would clean up or has for others.
func TestRoutes(t *testing.T) {
	t.Parallel()
	p := launch(t)
	for path, want := range map[string]int{"/": 404, "/unknown": 404, "/app": 404, "/app/" + key: 426} {
		status, _ := p.get(path)
		require.Equal(t, want, status, path)
	}
	status, _ := p.get("/apps/1/channels")
	require.Equal(t, http.StatusUnauthorized, status)
	for path, code := range map[string]int{ // 0 is an established connection
		"/somewhere?protocol=7": 4005, "/app/other?protocol=7": 4001, "/app/" + key: 4008, "/app/" + key + "?protocol=3": 4007,
		"//app/" + key + "?protocol=7": 0, "/prefix//app/" + key + "?protocol=7": 0, "/apps/app/" + key + "?protocol=7": 0,
		"/app//" + key + "?protocol=7": 4005, "/apps/1/events?protocol=7": 4005, "/healthz": 4005, "/": 4005, "//": 4005,
	} {
		c, err := p.dial(path)
		if code == 0 {
			require.NoError(t, err, path)
			require.NoError(t, c.Sync(t.Context()), path)
			continue
		}
		var closed *realtimetest.CloseError
		require.ErrorAs(t, err, &closed, path)
		require.Equal(t, code, closed.Code, path)
	}
}

func TestHealthWhileDraining(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h := routes(ctx, newServer(t))
	require.Equal(t, 200, statusOf(h, "/healthz"))
	cancel()
	require.Equal(t, 503, statusOf(h, "/healthz"))
}
