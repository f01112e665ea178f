package ws_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/ws"
)

// crowd is the servers' side.
type crowd struct {
	t        *testing.T
	servers  [2]*ws.Server
	stored   atomic.Int64 // events
	lines    *bufio.Scanner
	finished func() error
}

// gather starts two servers and the crowd, all of it on the first one.
func gather(t *testing.T, n, last int) *crowd {
	t.Helper()
	c := &crowd{t: t}
	var urls [2]string
	for i := range c.servers {
		srv, err := ws.New(config(func(cfg *ws.Config) {
			if i == 0 {
				cfg.ConnectRate = ws.Rate{PerSecond: -1} // the second one has the default: it is where all come at once
			}
			cfg.MaxQueueFrames = 256
		}))
		require.NoError(t, err)
		host := httptest.NewServer(srv)
		c.servers[i], urls[i] = srv, host.URL
		t.Cleanup(func() {
			_ = srv.Shutdown(ended())
			host.Close()
		})
	}
	log := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		fmt.Fprint(w, c.stored.Load())
	}))
	t.Cleanup(log.Close)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s %s %s %d", crowdEnv, n, urls[0], urls[1], log.URL, last))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c.lines = bufio.NewScanner(out)
	c.finished = sync.OnceValue(cmd.Wait)
	t.Cleanup(func() { _ = c.finished() })
	require.Equal(t, "ready", c.line())
	require.Equal(t, n, c.servers[0].Stats().Connections)
	require.Equal(t, n, c.servers[0].Subscribers(lobby))
	return c
}

func (c *crowd) line() string {
	c.t.Helper()
	if !c.lines.Scan() {
		require.NoError(c.t, c.finished(), "the crowd has failed")
		require.Fail(c.t, "the crowd has ended early")
	}
	return c.lines.Text()
}

// send stores an event, then broadcasts it on both servers.
func (c *crowd) send() {
	n := c.stored.Add(1)
	for _, srv := range c.servers {
		ev := realtime.Event{Channel: lobby, Name: "new-message", Data: strconv.AppendInt(nil, n, 10)}
		require.NoError(c.t, srv.Broadcast(c.t.Context(), ev))
	}
}

func (c *crowd) result() (res crowdResult) {
	c.t.Helper()
	require.NoError(c.t, json.Unmarshal([]byte(c.line()), &res))
	require.NoError(c.t, c.finished())
	return res
}

// crowdSize is how many clients a test has: a few, or in the long forms as many as are asked for. Under the race detector
// a server may have two goroutines for each, and no more than 8,128.
func crowdSize(t *testing.T, long int) (n int, isLong bool) {
	t.Helper()
	switch {
	case os.Getenv(tortureEnv) == "":
		return 500, false
	case raceDetector:
		t.Logf("3,000 clients instead of %d: the race detector takes no more", long)
		return 3000, true
	}
	return long, true
}

// TestManyConnections has every one of many clients get every event.
func TestManyConnections(t *testing.T) {
	const events = 5
	n, long := crowdSize(t, 19_000) // what a process may have open, so nothing else can run beside
	if !long {
		t.Parallel()
	}
	began := time.Now()
	c := gather(t, n, events)
	gathered := time.Now()
	for range events {
		c.send()
	}
	require.Equal(t, events, c.result().Fewest)
	require.Zero(t, c.servers[0].Stats().SlowCloses)
	t.Logf("%d clients: connected and subscribed in %v, %d events to all in %v",
		n, gathered.Sub(began).Round(time.Millisecond), events, time.Since(gathered).Round(time.Millisecond))
}

// TestDrainOfManyConnections moves all clients from a server that shuts down to another one while events are sent.
// Everybody is back soon and nobody misses anything. How soon is a requirement of the long form; the short one runs
// beside other tests, and only shows that nobody is forgotten.
func TestDrainOfManyConnections(t *testing.T) {
	n, long := crowdSize(t, 10_000)
	pace, back, drained := time.Second, 5*time.Second, 30*time.Second
	if !long {
		pace, back, drained = 50*time.Millisecond, time.Minute, time.Minute
		t.Parallel()
	}
	const events = 25
	c := gather(t, n, events)
	done := make(chan error, 1)
	began := time.Now()
	var took time.Duration
	go func() {
		err := c.servers[0].Shutdown(t.Context())
		took = time.Since(began)
		done <- err
	}()
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for range events - 1 {
		c.send()
		<-ticker.C
	}
	require.NoError(t, <-done)
	require.Less(t, took, drained)
	c.send()
	res := c.result()
	require.Equal(t, events, res.Fewest)
	require.Less(t, res.Longest, back)
	t.Logf("%d clients: drained in %v, longest absence %v, no event missed, %d refused and back a second later",
		n, took.Round(time.Millisecond), res.Longest.Round(time.Millisecond), c.servers[1].Stats().RefusedConnections)
}
