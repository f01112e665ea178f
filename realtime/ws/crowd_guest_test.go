package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
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
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
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
