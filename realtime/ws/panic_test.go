package ws_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/ws"
)

// brokenLog is a host's handler with a bug. It tells how often it was asked to write something.
type brokenLog struct {
	slog.Handler
	enabled func() bool
	asked   chan struct{}
}

func (l brokenLog) Enabled(context.Context, slog.Level) bool {
	l.asked <- struct{}{}
	return l.enabled()
}

func (brokenLog) Handle(context.Context, slog.Record) error { panic("a bug of the host's") }

func (l brokenLog) WithAttrs([]slog.Attr) slog.Handler { return l }

func (l brokenLog) WithGroup(string) slog.Handler { return l }

// TestPanicsOfTheLogger has it panic wherever the server logs in goroutines of its own: about a client that is too slow,
// about a bug, and about a webhook. The process goes on, and so does everybody else.
func TestPanicsOfTheLogger(t *testing.T) {
	t.Parallel()
	for name, enabled := range map[string]func() bool{
		"Handle":  func() bool { return true },
		"Enabled": func() bool { panic("a bug of the host's") },
	} {
		asked := make(chan struct{}, 1000)
		inBubble(t, func(t *testing.T, f *fixture) {
			f.TransportWebhooks(&endpoint{t: t, began: time.Now(), answer: func(int) (int, error) {
				return http.StatusInternalServerError, nil
			}})
			slow, other := f.connect(), f.connect()
			f.subscribe(slow, private)
			f.subscribe(other, lobby)
			before := len(asked) // about the host
			pass(400 * time.Millisecond)
			require.EqualValues(t, 1, f.Stats().WebhookFailures, name)
			require.Len(t, asked, before+1, name)

			f.broadcast(private, `"`+strings.Repeat("x", 5000)+`"`)
			f.broadcast(private, `"`+strings.Repeat("x", 5000)+`"`)
			synctest.Wait()
			require.EqualValues(t, 1, f.Stats().SlowCloses, name)
			require.Equal(t, 4100, closeCode(t, slow), name)
			synctest.Wait()
			require.Len(t, asked, before+3, name) // the connection and the setting
			silent(t, other)

			f.Contain(func() { panic("a bug") })
			require.Equal(t, 4200, closeCode(t, other), name)
			require.Len(t, asked, before+4, name)
			require.NoError(t, f.connect().Sync(t.Context()), name)
		}, func(c *ws.Config) {
			c.Logger = slog.New(brokenLog{slog.DiscardHandler, enabled, asked})
			c.MaxQueueBytes = 4096
		}, withWebhook)
	}
}

// TestPanicsAreContained has bugs where nobody but the server itself is called: in the goroutine that reads, and in that of
// a timer.
func TestPanicsAreContained(t *testing.T) {
	t.Parallel()
	log := newLogWatch("ws: panic")
	inBubble(t, func(t *testing.T, f *fixture) {
		reader, timer := f.connect(), f.connect()
		f.subscribe(timer, lobby)
		require.NoError(t, timer.Unsubscribe(t.Context(), lobby))
		require.NoError(t, timer.Sync(t.Context()))
		f.Spoil()
		require.NoError(t, reader.SendText(t.Context(), `{"event":"pusher:subscribe","data":{"channel":"other"}}`))
		require.Equal(t, 4200, closeCode(t, reader))
		synctest.Wait()
		require.Len(t, log.seen, 1)
		require.NoError(t, timer.Sync(t.Context()), "it is nobody else's end")
		require.Equal(t, 4200, closeCode(t, timer))
		synctest.Wait()
		require.Len(t, log.seen, 2)
		require.Zero(t, f.Stats().Connections)
		require.NoError(t, f.connect().Sync(t.Context()))
	}, func(c *ws.Config) {
		c.SubscribeTimeout = 20 * time.Second
		c.Logger = slog.New(log)
	})
}
