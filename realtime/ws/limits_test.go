package ws_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// TestFloods sends more frames of each kind than a connection may, as fast as it can.
func TestFloods(t *testing.T) {
	t.Parallel()
	for name, flood := range map[string]struct {
		most int
		send func(context.Context, *realtimetest.Client, int) error
	}{
		"messages": {250, func(ctx context.Context, c *realtimetest.Client, _ int) error {
			return c.SendText(ctx, `{"event":"pusher:pong"}`)
		}},
		"pings": {20, func(ctx context.Context, c *realtimetest.Client, _ int) error {
			return c.SendFrame(ctx, realtimetest.OpPing, true, nil)
		}},
		"pongs": {250, func(ctx context.Context, c *realtimetest.Client, _ int) error {
			return c.SendFrame(ctx, realtimetest.OpPong, true, nil)
		}},
		"fragments": {250, func(ctx context.Context, c *realtimetest.Client, i int) error {
			opcode := realtimetest.OpContinuation
			if i == 0 {
				opcode = realtimetest.OpText
			}
			return c.SendFrame(ctx, opcode, false, nil)
		}},
	} {
		inBubble(t, func(t *testing.T, f *fixture) {
			c := f.connect()
			for i := range flood.most {
				require.NoError(t, flood.send(t.Context(), c, i), name)
			}
			synctest.Wait()
			require.Empty(t, f.Stats().Closes, name)
			more := 0
			for ; f.Stats().Closes[4100] == 0; more++ {
				require.NoError(t, flood.send(t.Context(), c, flood.most), name)
				pass(time.Millisecond)
			}
			require.LessOrEqual(t, more, 3, name) // some were forgiven while it paused
			require.Equal(t, 4100, closeCode(t, c), name)
			require.Zero(t, f.Stats().SlowCloses)
		})
	}
}

// TestTurns sends much at once, which is read with a pause now and then. Whoever pauses as long does not feel it.
func TestTurns(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		began := time.Now()
		for range 160 {
			require.NoError(t, c.SendFrame(t.Context(), realtimetest.OpPong, true, nil))
		}
		require.NoError(t, c.Sync(t.Context()))
		require.InDelta(t, 10, time.Since(began).Milliseconds(), 1)
		pass(10 * time.Second)
		for range 50 {
			began = time.Now()
			require.NoError(t, c.Sync(t.Context()))
			require.Zero(t, time.Since(began))
			pass(2 * time.Millisecond)
		}
	})
}

// TestPingRate pings as often as it may for a long time.
func TestPingRate(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		for range 60 {
			for range 5 {
				require.NoError(t, c.SendFrame(t.Context(), realtimetest.OpPing, true, nil))
				require.NoError(t, c.Sync(t.Context()))
			}
			pass(time.Second)
		}
		require.Empty(t, f.Stats().Closes)
	})
}

// TestFloodBehindTheEnd goes on with a flood after it has been told to stop: nothing of that is answered, little of it is
// even read, and it ends with the time for a close frame.
func TestFloodBehindTheEnd(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c, tap := f.connectTapped()
		began := time.Now()
		for range 251 {
			require.NoError(t, c.SendFrame(t.Context(), realtimetest.OpPong, true, nil))
		}
		require.Equal(t, 4100, closeCode(t, c))
		tap.Reset()
		sent, ping := 0, make([]byte, 125)
		for c.SendFrame(t.Context(), realtimetest.OpPing, true, ping) == nil {
			sent += len(ping)
		}
		require.Less(t, sent, 256<<10)
		f.gone()
		require.InDelta(t, 2, time.Since(began).Seconds(), 0.1)
		_, err := c.Next(t.Context())
		require.Error(t, err)
		require.Zero(t, tap.Len())
	})
}

// TestFrameRate stays below the limit for a long time.
func TestFrameRate(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		for range 60 {
			for range 30 {
				require.NoError(t, c.SendText(t.Context(), `{"event":"pusher:pong"}`))
			}
			pass(time.Second)
		}
		require.Empty(t, f.Stats().Closes)
	})
}

// TestSubscriptionsArePaced is a client that reconnects with 100 channels: all of them are served, the last ones later.
func TestSubscriptionsArePaced(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		began := time.Now()
		for i := range 100 {
			if i == 60 {
				require.Less(t, time.Since(began), 10*time.Millisecond)
			}
			f.subscribe(c, realtime.Channel(fmt.Sprint("channel-", i)))
		}
		require.InDelta(t, 2, time.Since(began).Seconds(), 0.01) // 40 at 20 a second
	})
}

func TestConnectionWithoutPurpose(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		began := time.Now()
		idle, subscriber, user := f.connect(), f.connect(), f.connect()
		f.subscribe(subscriber, lobby)
		require.NoError(t, subscriber.Unsubscribe(t.Context(), lobby)) // has had one
		f.signIn(user, "ann", "")
		stop := answerPings(t, subscriber, user)
		require.Equal(t, 4100, closeCode(t, idle))
		require.InDelta(t, 30, time.Since(began).Seconds(), 0.01)
		pass(5 * time.Minute)
		stop()
		require.Equal(t, 2, f.Stats().Connections)
	}, func(c *ws.Config) { c.SubscribeTimeout = 30 * time.Second })
}

// TestLateSubscription connects and subscribes ten minutes later.
func TestLateSubscription(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		stop := answerPings(t, c)
		pass(10 * time.Minute)
		stop()
		f.subscribe(c, private)
		require.Empty(t, f.Stats().Closes)
	})
}

func TestAuthorizationTimeout(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		began := time.Now()
		anonymous, subscriber, user := f.connect(), f.connect(), f.connect()
		f.subscribe(anonymous, lobby)
		f.subscribe(subscriber, private)
		f.signIn(user, "ann", "")
		stop := answerPings(t, subscriber, user)
		require.Equal(t, 4009, closeCode(t, anonymous))
		require.Equal(t, 10*time.Second, time.Since(began))
		pass(5 * time.Minute)
		stop()
		require.Equal(t, 2, f.Stats().Connections)
	}, func(c *ws.Config) { c.AuthorizationTimeout = 10 * time.Second })
}

// TestSessionsEnd has connections that came at the same time end within the last tenth of the longest age, spread.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		var ends [20]time.Duration
		began := time.Now()
		done := make(chan struct{})
		for i := range ends {
			c := f.connect()
			go func() {
				defer func() { done <- struct{}{} }()
				for {
					if _, err := c.Next(t.Context()); err != nil {
						var ce *realtimetest.CloseError
						if !errors.As(err, &ce) || ce.Code != 4200 {
							t.Error(err)
						}
						ends[i] = time.Since(began)
						return
					}
				}
			}()
		}
		for range ends {
			<-done
		}
		least, most := ends[0], ends[0]
		for _, end := range ends {
			least, most = min(least, end), max(most, end)
		}
		require.GreaterOrEqual(t, least, 54*time.Minute)
		require.LessOrEqual(t, most, time.Hour)
		require.Greater(t, most-least, time.Minute)
	}, func(c *ws.Config) { c.MaxSessionAge = time.Hour })
}

// TestLimitsOff switches off what can be.
func TestLimitsOff(t *testing.T) {
	t.Parallel()
	off := ws.Rate{PerSecond: -1}
	f := start(t, func(c *ws.Config) {
		c.MaxUserConnections, c.MaxAddressConnections, c.SubscribeTimeout, c.MaxSessionAge, c.GrantTTL = -1, -1, -1, -1, -1
		c.AddressConnectRate, c.ConnectRate, c.MessageRate, c.SubscribeRate, c.ClientEventRate = off, off, off, off, off
		c.TrustedProxies, c.ClientEvents = loopback, []string{"client-x"}
	})
	for range 120 {
		require.Zero(t, f.dialFrom("8.8.8.8"))
	}
	other := f.connect()
	f.subscribe(other, private)
	for range 25 {
		f.join(f.connect(), private, "ann")
	}
	c := f.connect()
	f.join(c, private, "ann")
	for i := range 50 {
		for range 6 {
			require.NoError(t, c.Trigger(t.Context(), private, "client-x", i))
			require.Contains(t, next(t, other), "client-x")
		}
	}
	silent(t, c)
}

// TestLogsKeepSecrets sends a canary through everything that is logged.
func TestLogsKeepSecrets(t *testing.T) {
	t.Parallel()
	const canary = "canary-4711"
	var log bytes.Buffer
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		f.join(c, private, "ann")
		f.subscribe(c, lobby)
		require.NoError(t, c.SendText(t.Context(), canary))
		_ = c.Subscribe(t.Context(), room, realtime.Grant{Auth: canary, ChannelData: canary})
		_ = c.SignIn(t.Context(), realtime.UserGrant{Auth: canary, UserData: canary})
		require.NoError(t, c.Trigger(t.Context(), private, "client-"+canary, canary))
		for range 70 { // it does not read
			f.broadcast(private, `"`+canary+`"`)
			pass(10 * time.Millisecond)
		}
		f.connect()
		f.Contain(func() { panic("a bug") })
		f.Contain(func() { panic("a bug") })
	}, func(c *ws.Config) {
		c.Secret = canary
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	require.Contains(t, log.String(), "closed a slow connection")
	require.Contains(t, log.String(), "a bug")
	require.Equal(t, 1, strings.Count(log.String(), "stack="), "one stack a second")
	require.NotContains(t, log.String(), canary)
}

// TestHostWithoutDeadlines is warned once.
func TestHostWithoutDeadlines(t *testing.T) {
	t.Parallel()
	const header, idle = "neither ReadHeaderTimeout", "neither IdleTimeout"
	for _, c := range []struct {
		host *http.Server
		want []string
	}{
		{&http.Server{}, []string{header, idle}},
		{&http.Server{ReadHeaderTimeout: time.Second}, []string{idle}},
		{&http.Server{IdleTimeout: time.Second}, []string{header}},
		{&http.Server{ReadHeaderTimeout: time.Second, IdleTimeout: time.Second}, nil},
		{&http.Server{ReadTimeout: time.Second}, nil},
	} {
		var log bytes.Buffer
		srv, err := ws.New(config(func(c *ws.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) }))
		require.NoError(t, err)
		for range 2 {
			r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
			srv.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithValue(r.Context(), http.ServerContextKey, c.host)))
		}
		for _, w := range []string{header, idle} {
			require.Equal(t, slices.Contains(c.want, w), strings.Contains(log.String(), w), log.String())
		}
		require.Equal(t, len(c.want), strings.Count(log.String(), "level=WARN"))
	}
}

func TestConfigOfLimits(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*ws.Config){
		"ClientEvents":      func(c *ws.Config) { c.ClientEvents = []string{"typing"} },
		"MessageRate.Burst": func(c *ws.Config) { c.MessageRate = ws.Rate{PerSecond: 1, Burst: 100} },
		"limit":             func(c *ws.Config) { c.MaxMembers = -1 },
		"time":              func(c *ws.Config) { c.AuthorizationTimeout = -1 },
	} {
		_, err := ws.New(config(change))
		require.ErrorContains(t, err, want)
	}
	_, err := ws.New(config(func(c *ws.Config) { c.MaxChannels, c.MessageRate.PerSecond = 1000, -1 }))
	require.NoError(t, err)
}

// TestHandshakeThatNobodyReads has a client that sends its request and reads no answer.
func TestHandshakeThatNobodyReads(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		conn, err := f.dial(t.Context(), "tcp", "murph.test")
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: murph.test\r\nConnection: Upgrade\r\n"+
			"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
		require.NoError(t, err)
		pass(5 * time.Second)
		_, err = conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		require.Zero(t, f.Stats().Connections)
	})
}

// FuzzMessages sends one message of any kind. The connection goes on, or ends with a code that says why; it never ends
// with 4200, which stands for a panic.
func FuzzMessages(f *testing.F) {
	for _, seed := range []string{
		`{"event":"pusher:subscribe","data":{"channel":"presence-a","auth":"app-key:00","channel_data":"{\"user_id\":1}"}}`,
		`{"event":"pusher:subscribe","data":{"channel":"lobby"}}`, `{"event":"pusher:unsubscribe","data":{"channel":"lobby"}}`,
		`{"event":"pusher:signin","data":{"auth":"app-key:00","user_data":"{\"id\":\"1\"}"}}`, `{"event":"pusher:ping"}`,
		`{"event":"client-x","channel":"private-consultation-1","data":{"a":1}}`, "\xff", `[`,
		`{"event":"pusher:subscribe","data":{"channel":"#server-to-user-ann"}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		inBubble(t, func(t *testing.T, f *fixture) {
			c, other := f.connect(), f.connect()
			f.subscribe(c, private)
			f.subscribe(other, private)
			if err := c.SendText(t.Context(), message); err != nil {
				return
			}
			var ce *realtimetest.CloseError
			if err := c.Sync(t.Context()); errors.As(err, &ce) {
				require.Contains(t, []int{1007, 1009, 4100}, ce.Code)
			} else {
				require.NoError(t, err)
			}
			require.NoError(t, other.Sync(t.Context()))
			for frame, ok := other.Waiting(); ok; frame, ok = other.Waiting() {
				require.True(t, strings.HasPrefix(frame.Event, "client-"), "%s", frame.Raw)
				require.Equal(t, private, frame.Channel)
			}
		}, func(c *ws.Config) { c.ClientEvents = []string{"client-*"} })
	})
}
