package ws_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// The crowd are clients in a process of their own, so that both sides have all file descriptors that a process may.
// They do what a front end does: subscribe, then fetch what they have missed; when the server closes with 4200,
// connect again at once, with 4100 after a second.

const (
	crowdEnv   = "MURPH_TEST_CROWD" // "<number> <url of the first server> <url of the second one> <url of the log>"
	tortureEnv = "MURPH_TORTURE"    // set for the long forms
)

// guest is one client of the crowd.
type guest struct {
	urls    [2]string
	log     string
	have    int // events that it has, from the first one on
	longest time.Duration
}

// crowdResult is what the crowd reports at the end.
type crowdResult struct {
	Longest time.Duration // that a guest was without a subscription, or had not caught up
	Fewest  int           // events that a guest has
}

// runCrowd is the crowd's process. It writes a line when all have subscribed, and its result after the last event.
func runCrowd(args string) error {
	f := strings.Fields(args)
	n, err := strconv.Atoi(f[0])
	if err != nil {
		return err
	}
	last, err := strconv.Atoi(f[4])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	members := make([]*guest, n)
	var first, all sync.WaitGroup
	var failure atomic.Pointer[error]
	gate := make(chan struct{}, 64) // so many connect for the first time at once
	first.Add(n)
	for i := range members {
		m := &guest{urls: [2]string{f[1], f[2]}, log: f[3]}
		members[i] = m
		all.Go(func() {
			gate <- struct{}{}
			once := sync.OnceFunc(func() {
				<-gate
				first.Done()
			})
			if err := m.live(ctx, last, once); err != nil {
				failure.Store(&err)
				cancel()
				once()
			}
		})
	}
	first.Wait()
	fmt.Println("ready")
	all.Wait()
	if err := failure.Load(); err != nil {
		return *err
	}
	res := crowdResult{Fewest: last}
	for _, m := range members {
		res.Longest = max(res.Longest, m.longest)
		res.Fewest = min(res.Fewest, m.have)
	}
	return json.NewEncoder(os.Stdout).Encode(res)
}

// live stays connected until it has all events.
func (m *guest) live(ctx context.Context, last int, ready func()) error {
	server := 0
	lost := time.Now()
	for first := true; m.have < last; first = false {
		err := m.visit(ctx, m.urls[server], last, func() {
			if !first {
				m.longest = max(m.longest, time.Since(lost))
			}
			ready()
		})
		var ce *realtimetest.CloseError
		switch {
		case err == nil:
		case errors.As(err, &ce) && ce.Code == 4200:
			server = 1
		case errors.As(err, &ce) && ce.Code == 4100:
			server = 1
			select {
			case <-time.After(time.Second): // as pusher-js does
			case <-ctx.Done():
				return ctx.Err()
			}
			continue // it is lost since the first time
		default:
			return err
		}
		lost = time.Now()
	}
	return nil
}

// visit is one connection.
func (m *guest) visit(ctx context.Context, url string, last int, back func()) error {
	c, err := realtimetest.Dial(ctx, url+path, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Subscribe(ctx, lobby, realtime.Grant{}); err != nil {
		return err
	}
	if err := m.catchUp(ctx); err != nil {
		return err
	}
	back()
	for m.have < last {
		frame, err := c.NextEvent(ctx)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(frame.Data))
		if err != nil {
			return err
		}
		switch {
		case n == m.have+1:
			m.have++
		case n > m.have:
			if err := m.catchUp(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// catchUp asks how many events there are.
func (m *guest) catchUp(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.log, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(body))
	m.have = max(m.have, n)
	return err
}

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

// TestManyConnections has every one of many clients get every event.
func TestManyConnections(t *testing.T) {
	const events = 5
	n := 500
	if os.Getenv(tortureEnv) != "" {
		n = 19_000 // what a process may have open, so nothing else can run beside
	} else {
		t.Parallel()
	}
	c := gather(t, n, events)
	for range events {
		c.send()
	}
	require.Equal(t, events, c.result().Fewest)
	require.Zero(t, c.servers[0].Stats().SlowCloses)
}

// TestDrainOfManyConnections moves all clients from a server that shuts down to another one while events are sent.
// Everybody is back soon and nobody misses anything.
func TestDrainOfManyConnections(t *testing.T) {
	n, pace := 500, 50*time.Millisecond
	if os.Getenv(tortureEnv) != "" {
		n, pace = 10_000, time.Second
	} else {
		t.Parallel()
	}
	const events = 25
	c := gather(t, n, events)
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- c.servers[0].Shutdown(t.Context()) }()
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for range events - 1 {
		c.send()
		<-ticker.C
	}
	require.NoError(t, <-done)
	require.Less(t, time.Since(began), 30*time.Second)
	c.send()
	res := c.result()
	require.Equal(t, events, res.Fewest)
	require.Less(t, res.Longest, 5*time.Second)
	t.Logf("%d clients, longest absence %v", n, res.Longest)
}
