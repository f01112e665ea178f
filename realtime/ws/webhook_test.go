package ws_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/ws"
)

// endpoint is a webhook endpoint in the test's process.
type endpoint struct {
	t      *testing.T
	answer func(attempt int) (int, error)

	mu       sync.Mutex
	attempts []time.Duration // since the start
	began    time.Time
	sent     []string // the bodies of all attempts
	bodies   []string // of attempts that were answered with 2xx
}

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, []byte("app-secret"))
	mac.Write(body)
	if r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" ||
		r.Header.Get("X-Pusher-Key") != appKey || r.Header.Get("X-Pusher-Signature") != hex.EncodeToString(mac.Sum(nil)) {
		e.t.Errorf("a request is not as documented: %s %v", r.Method, r.Header)
	}
	e.mu.Lock()
	e.attempts, e.sent = append(e.attempts, time.Since(e.began)), append(e.sent, string(body))
	n := len(e.attempts)
	e.mu.Unlock()
	status := http.StatusOK
	if e.answer != nil {
		if status, err = e.answer(n); err != nil {
			return nil, err
		}
	}
	if status == 0 { // hangs
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if status/100 == 2 {
		e.bodies = append(e.bodies, string(body))
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

// events are what was taken so far, each on a line, and the number of requests.
func (e *endpoint) events() ([]string, int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := []string{}
	for _, body := range e.bodies {
		var hook struct{ Events []json.RawMessage }
		require.NoError(e.t, json.Unmarshal([]byte(body), &hook))
		for _, ev := range hook.Events {
			all = append(all, string(ev))
		}
	}
	return all, len(e.bodies)
}

// hooked runs a test in a bubble, with a server that has one webhook.
func hooked(t *testing.T, test func(*testing.T, *ws.Server, *endpoint), change ...func(*ws.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv, err := ws.New(config(append([]func(*ws.Config){func(c *ws.Config) {
			c.Webhooks = []ws.Webhook{{URL: "https://user:canary@host.test/hook?token=canary"}}
		}}, change...)...))
		require.NoError(t, err)
		e := &endpoint{t: t, began: time.Now()}
		srv.TransportWebhooks(e)
		test(t, srv, e)
		require.NoError(t, srv.Shutdown(t.Context()))
		synctest.Wait()
	})
}

// after lets time pass and returns what the endpoint has got.
func (e *endpoint) after(d time.Duration) []string {
	<-time.After(d)
	synctest.Wait()
	events, _ := e.events()
	return events
}

func notify(s *ws.Server, kind string, ch realtime.Channel) { s.Notify(kind, ch, "", "", "", "", 0) }

func member(s *ws.Server, kind string, ch realtime.Channel, user string) {
	s.Notify(kind, ch, user, "", "", "", 0)
}

func TestWebhookBody(t *testing.T) {
	t.Parallel()
	hooked(t, func(t *testing.T, s *ws.Server, e *endpoint) {
		now := time.Now()
		notify(s, "channel_occupied", "presence-a")
		member(s, "member_added", "presence-a", "7")
		s.Notify("client_event", "presence-a", "7", "client-typing", `{"on":true}`, "1.2", 0)
		s.Notify("client_event", "private-a", "", "client-typing", "", "1.2", 0)
		notify(s, "cache_miss", "cache-a")
		s.Notify("subscription_count", "lobby", "", "", "", "", 0)
		notify(s, "channel_occupied", "#server-to-user-7")
		e.after(time.Second)
		require.Len(t, e.bodies, 1)
		require.Equal(t, fmt.Sprintf(`{"time_ms":%d,"events":[`, now.Add(100*time.Millisecond).UnixMilli())+
			`{"name":"channel_occupied","channel":"presence-a"},`+
			`{"name":"member_added","channel":"presence-a","user_id":"7"},`+
			`{"name":"client_event","channel":"presence-a","user_id":"7","event":"client-typing","data":"{\"on\":true}","socket_id":"1.2"},`+
			`{"name":"client_event","channel":"private-a","event":"client-typing","data":"","socket_id":"1.2"},`+
			`{"name":"cache_miss","channel":"cache-a"},`+
			`{"name":"subscription_count","channel":"lobby","subscription_count":0}]}`, e.bodies[0])
		require.EqualValues(t, 6, s.Stats().WebhookEvents)
	})
}

func TestWebhooksHoldBackDepartures(t *testing.T) {
	t.Parallel()
	hooked(t, func(t *testing.T, s *ws.Server, e *endpoint) {
		notify(s, "channel_occupied", "presence-a")
		member(s, "member_added", "presence-a", "1")
		require.Len(t, e.after(time.Second), 2)

		// A page that is reloaded is no news, however often.
		for range 5 {
			member(s, "member_removed", "presence-a", "1")
			notify(s, "channel_vacated", "presence-a")
			require.Len(t, e.after(2900*time.Millisecond), 2)
			notify(s, "channel_occupied", "presence-a")
			member(s, "member_added", "presence-a", "1")
		}
		require.Len(t, e.after(time.Minute), 2)

		member(s, "member_removed", "presence-a", "1")
		member(s, "member_added", "presence-a", "2") // somebody else does not make up for it
		require.Len(t, e.after(2900*time.Millisecond), 3)
		require.Equal(t, []string{
			`{"name":"channel_occupied","channel":"presence-a"}`,
			`{"name":"member_added","channel":"presence-a","user_id":"1"}`,
			`{"name":"member_added","channel":"presence-a","user_id":"2"}`,
			`{"name":"member_removed","channel":"presence-a","user_id":"1"}`,
		}, e.after(300*time.Millisecond))

		member(s, "member_removed", "presence-a", "2")
		notify(s, "channel_vacated", "presence-a")
		require.Equal(t, []string{
			`{"name":"member_removed","channel":"presence-a","user_id":"2"}`,
			`{"name":"channel_vacated","channel":"presence-a"}`,
		}, e.after(4 * time.Second)[4:])
		notify(s, "channel_occupied", "presence-a") // news again
		require.Len(t, e.after(time.Second), 7)
	})
}

func TestWebhooksCountMissesOnce(t *testing.T) {
	t.Parallel()
	hooked(t, func(t *testing.T, s *ws.Server, e *endpoint) {
		for range 100 {
			notify(s, "cache_miss", "cache-a")
		}
		notify(s, "cache_miss", "cache-b")
		require.Len(t, e.after(9*time.Second), 2)
		notify(s, "cache_miss", "cache-a")
		require.Len(t, e.after(2*time.Second), 2)
		notify(s, "cache_miss", "cache-a")
		require.Len(t, e.after(time.Second), 3)
	})
}

func TestWebhookFilter(t *testing.T) {
	t.Parallel()
	hooked(t, func(t *testing.T, s *ws.Server, e *endpoint) {
		notify(s, "channel_occupied", "a")
		s.Notify("subscription_count", "a", "", "", "", "", 1)
		require.Equal(t, []string{`{"name":"subscription_count","channel":"a","subscription_count":1}`}, e.after(time.Second))
	}, func(c *ws.Config) { c.Webhooks[0].Events = []string{"subscription_count", "cache_miss"} })
}

func TestWebhookBatches(t *testing.T) {
	t.Parallel()
	hooked(t, func(t *testing.T, s *ws.Server, e *endpoint) {
		for i := range 250 {
			notify(s, "channel_occupied", realtime.Channel(fmt.Sprint("a", i)))
		}
		// These would make the official SDK for Go refuse the others, too.
		notify(s, "channel_occupied", "private-encrypted-a")
		s.Notify("client_event", "private-encrypted-a", "", "client-a", "{}", "1.2", 0)
		events := e.after(time.Second)
		require.Len(t, events, 252)
		require.Len(t, e.bodies, 5)
		for i, event := range events[:250] {
			require.Equal(t, fmt.Sprintf(`{"name":"channel_occupied","channel":"a%d"}`, i), event)
		}
		require.Equal(t, 1, strings.Count(e.bodies[3], `"name"`))
		require.Contains(t, e.bodies[3], "private-encrypted-a")
	})
}

func TestWebhookRetries(t *testing.T) {
	t.Parallel()
	hooked(t, func(t *testing.T, s *ws.Server, e *endpoint) {
		e.answer = func(n int) (int, error) {
			switch n {
			case 1:
				return http.StatusInternalServerError, nil
			case 2:
				return 0, errors.New("connection refused")
			case 3:
				return 0, nil // hangs, and is given up after 5 s
			}
			return http.StatusOK, nil
		}
		notify(s, "channel_occupied", "a")
		e.after(time.Second / 2)
		notify(s, "channel_occupied", "b") // waits its turn
		require.Equal(t, []string{
			`{"name":"channel_occupied","channel":"a"}`, `{"name":"channel_occupied","channel":"b"}`,
		}, e.after(time.Minute))
		for _, body := range e.sent[:4] { // time_ms included, by which a receiver knows it again
			require.Equal(t, e.sent[0], body)
		}
		require.EqualValues(t, 3, s.Stats().WebhookFailures)
		require.Zero(t, s.Stats().WebhookDrops)
		for i, between := range [][2]time.Duration{{500, 1000}, {1000, 2000}, {5000 + 2000, 5000 + 4000}} {
			gap := e.attempts[i+1] - e.attempts[i]
			require.GreaterOrEqual(t, gap, between[0]*time.Millisecond)
			require.LessOrEqual(t, gap, between[1]*time.Millisecond)
		}
	})
}

// TestWebhookStatuses has every 2xx take the events, and nothing else.
func TestWebhookStatuses(t *testing.T) {
	t.Parallel()
	for status, attempts := range map[int]int{200: 1, 201: 1, 202: 1, 204: 1, 299: 1, 300: 2, 304: 2, 307: 2, 410: 2, 500: 2} {
		hooked(t, func(t *testing.T, s *ws.Server, e *endpoint) {
			e.answer = func(n int) (int, error) {
				if n == 1 {
					return status, nil
				}
				return http.StatusOK, nil
			}
			notify(s, "channel_occupied", "a")
			require.Len(t, e.after(10*time.Second), 1, status)
			require.Len(t, e.attempts, attempts, status)
			require.EqualValues(t, 1, s.Stats().WebhookEvents, status)
			require.EqualValues(t, attempts-1, s.Stats().WebhookFailures, status)
		})
	}
}

func TestWebhookGivesUp(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	hooked(t, func(t *testing.T, s *ws.Server, e *endpoint) {
		broken := true
		e.answer = func(n int) (int, error) {
			if broken && n%2 == 0 {
				return http.StatusFound, nil
			}
			if broken {
				return 0, errors.New("connection reset")
			}
			return http.StatusOK, nil
		}
		notify(s, "channel_occupied", "a")
		e.after(6 * time.Minute)
		n := len(e.attempts)
		last := e.attempts[n-1]
		require.Greater(t, last, 3*time.Minute)
		require.LessOrEqual(t, last, 5*time.Minute+time.Second)
		require.Greater(t, n, 8)
		require.Less(t, n, 20)
		require.EqualValues(t, 1, s.Stats().WebhookDrops)
		broken = false
		notify(s, "channel_occupied", "b")
		require.Equal(t, []string{`{"name":"channel_occupied","channel":"b"}`}, e.after(time.Second))
	}, func(c *ws.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	require.Contains(t, log.String(), "host.test")
	require.Contains(t, log.String(), "webhook events are lost")
	require.NotContains(t, log.String(), "canary")
	require.NotContains(t, log.String(), "app-secret")
}

func TestWebhookQueueIsBounded(t *testing.T) {
	t.Parallel()
	hooked(t, func(t *testing.T, s *ws.Server, e *endpoint) {
		release := make(chan struct{})
		e.answer = func(n int) (int, error) {
			<-release
			return http.StatusOK, nil
		}
		notify(s, "channel_occupied", "first")
		e.after(time.Second)
		for i := range 25 {
			notify(s, "channel_occupied", realtime.Channel(fmt.Sprint(i)))
		}
		for i := range 3 { // the held ones are bounded too, and go out early
			notify(s, "channel_vacated", realtime.Channel(fmt.Sprint(i)))
		}
		require.EqualValues(t, 15, s.Stats().WebhookDrops)
		close(release)
		events := e.after(time.Second)
		require.Len(t, events, 11)
		require.Equal(t, `{"name":"channel_occupied","channel":"15"}`, events[1])
		for i := range 13 {
			notify(s, "channel_vacated", realtime.Channel(fmt.Sprint("v", i)))
		}
		require.Len(t, e.after(time.Second), 11+6)
		require.Len(t, e.after(4*time.Second), 11+16)
	}, func(c *ws.Config) { c.MaxWebhookQueue = 10 })
}

func TestWebhookQueueIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	hooked(t, func(t *testing.T, s *ws.Server, e *endpoint) {
		data := strings.Repeat("x", 10<<10)
		for range 2000 {
			s.Notify("client_event", "private-a", "", "client-a", data, "1.2", 0)
		}
		drops := s.Stats().WebhookDrops
		require.Greater(t, drops, uint64(300))
		require.Len(t, e.after(time.Minute), 2000-int(drops))
	})
}

// TestWebhooksAtShutdown sends what is held and what waits.
func TestWebhooksAtShutdown(t *testing.T) {
	t.Parallel()
	hooked(t, func(t *testing.T, s *ws.Server, e *endpoint) {
		began := time.Now()
		notify(s, "channel_occupied", "a")
		notify(s, "channel_vacated", "a")
		require.NoError(t, s.Shutdown(t.Context()))
		require.Zero(t, time.Since(began))
		events, _ := e.events()
		require.Equal(t, []string{
			`{"name":"channel_occupied","channel":"a"}`, `{"name":"channel_vacated","channel":"a"}`,
		}, events)
		notify(s, "channel_occupied", "b")
		require.EqualValues(t, 1, s.Stats().WebhookDrops)
	})
}

// TestWebhooksAtShutdownOfABrokenEndpoint makes one attempt for what is being tried and one more, and no third.
func TestWebhooksAtShutdownOfABrokenEndpoint(t *testing.T) {
	t.Parallel()
	hooked(t, func(t *testing.T, s *ws.Server, e *endpoint) {
		e.answer = func(int) (int, error) { return http.StatusBadGateway, nil }
		notify(s, "channel_occupied", "a")
		e.after(10 * time.Second)
		for i := range 200 {
			notify(s, "channel_occupied", realtime.Channel(fmt.Sprint(i)))
		}
		before, began := len(e.attempts), time.Now()
		require.NoError(t, s.Shutdown(t.Context()))
		require.Zero(t, time.Since(began))
		require.Len(t, e.attempts, before+1)
		require.EqualValues(t, 201, s.Stats().WebhookDrops)
	})
}

func TestWebhooksAtShutdownThatIsCutShort(t *testing.T) {
	t.Parallel()
	hooked(t, func(t *testing.T, s *ws.Server, e *endpoint) {
		e.answer = func(int) (int, error) { return 0, nil } // hangs
		notify(s, "channel_occupied", "a")
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, s.Shutdown(ctx)) // all connections are gone
		require.Equal(t, time.Second, time.Since(began))
		require.EqualValues(t, 1, s.Stats().WebhookDrops)
	})
}

func TestWebhookRefusesRedirectsAndPrivateAddresses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		allow    bool
		path     string
		requests int // that reach the server before the shutdown ends
		taken    uint64
	}{
		"public only": {false, "/ok", 0, 0},
		"allowed":     {true, "/ok", 1, 1},
		"redirect":    {true, "/redirect", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			logged := make(chan struct{}, 10)
			var mu sync.Mutex
			var paths []string
			host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				if paths = append(paths, r.URL.Path); r.URL.Path == "/redirect" {
					http.Redirect(w, r, "/ok", http.StatusTemporaryRedirect)
				}
			}))
			defer host.Close()
			_, port, _ := strings.Cut(strings.TrimPrefix(host.URL, "http://"), ":")
			s, err := ws.New(config(func(cfg *ws.Config) {
				cfg.AllowPrivateWebhooks = c.allow
				cfg.Logger = slog.New(slog.NewTextHandler(signal(logged), &slog.HandlerOptions{Level: slog.LevelError}))
				cfg.Webhooks = []ws.Webhook{{URL: "http://localhost:" + port + c.path}}
			}))
			require.NoError(t, err)
			notify(s, "channel_occupied", "a")
			if !c.allow { // given up at once, without a second attempt
				<-logged
			}
			require.NoError(t, s.Shutdown(t.Context()))
			require.Len(t, paths, c.requests)
			require.Equal(t, c.taken, s.Stats().WebhookEvents)
			require.Equal(t, 1-c.taken, s.Stats().WebhookDrops)
		})
	}
}

// TestWebhooksUseNoProxy, which would dial in the place of the server that checks the address.
func TestWebhooksUseNoProxy(t *testing.T) {
	t.Parallel()
	require.Nil(t, ws.WebhookProxy(false))
	require.Nil(t, ws.WebhookProxy(true))
}

// signal is a log whose lines are told of.
type signal chan struct{}

func (s signal) Write(p []byte) (int, error) {
	s <- struct{}{}
	return len(p), nil
}

func TestPublicAddresses(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"8.8.8.8": true, "193.99.144.80": true, "2606:4700::1111": true, "172.32.0.1": true, "100.128.0.1": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "0.0.0.0": false, "::": false, "0.1.2.3": false,
		"10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "fd00:ec2::254": false,
		"169.254.169.254": false, "fe80::1%eth0": false, "100.100.100.200": false, "192.0.0.192": false,
		"224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "240.0.0.1": false, "fec0::1": false,
		"::ffff:127.0.0.1": false, "::ffff:8.8.8.8": true, "::ffff:100.64.0.1": false, "::127.0.0.1": false, "64:ff9b::a9fe:a9fe": false,
		"2002:7f00:1::": false, "2001:0:1::": false, "198.18.0.1": false,
	} {
		require.Equal(t, want, ws.IsPublic(netip.MustParseAddr(addr)), addr)
	}
}

func TestWebhookConfig(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"": "the URL is not like", "host/path": "the URL is not like", "ftp://host": "the URL is not like", "http://": "the URL is not like", "http://10.0.0.1/": "the URL has an address that is not public",
		"http://[::1]:80/": "the URL has an address that is not public", "https://host": "",
	} {
		_, err := ws.New(config(func(c *ws.Config) { c.Webhooks = []ws.Webhook{{URL: "https://ok"}, {URL: url}} }))
		if want == "" {
			require.NoError(t, err, url)
			continue
		}
		require.ErrorContains(t, err, "Config.Webhooks[1]: "+want, url)
	}
	_, err := ws.New(config(func(c *ws.Config) { c.Webhooks = []ws.Webhook{{URL: "https://ok", Events: []string{"x"}}} }))
	require.ErrorContains(t, err, `unknown kind of events "x"`)
	_, err = ws.New(config(func(c *ws.Config) { c.MaxWebhookQueue = -1 }))
	require.Error(t, err)
}
