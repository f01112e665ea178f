package ws_test

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/ws"
)

// rounds returns how often the host was asked.
func (h *host) rounds() (n int) {
	h.set(func() { n = len(h.asked) })
	return n
}

// TestAuthorizeWith sets, replaces and removes the function to ask while a client is connected.
func TestAuthorizeWith(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	inBubble(t, func(t *testing.T, f *fixture) {
		denied := map[realtime.Listener]bool{{UserID: "ann", Channel: private}: true}
		first, second := &host{}, &host{denied: denied}
		c := f.connect()
		f.join(c, private, "ann")
		pass(15 * time.Second)
		f.AuthorizeWith(first.Authorize)
		pass(15 * time.Second)
		require.Positive(t, first.rounds())
		f.AuthorizeWith(nil)
		before := first.rounds()
		pass(15 * time.Second)
		require.Equal(t, before, first.rounds())
		silent(t, c)
		f.AuthorizeWith(second.Authorize)
		require.Equal(t, revoked(private), next(t, c))
		require.Equal(t, before, first.rounds())
		require.Empty(t, log.String())
	}, func(c *ws.Config) {
		c.ActivityTimeout, c.AuthorizeInterval = time.Hour, 10*time.Second
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))
	})
}

// TestAuthorizeWithBeforeTheFirstConnection asks as if the function had been in the Config.
func TestAuthorizeWithBeforeTheFirstConnection(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		h := &host{}
		f.AuthorizeWith(h.Authorize)
		f.join(f.connect(), private, "ann")
		pass(15 * time.Second)
		require.Positive(t, h.rounds())
	}, func(c *ws.Config) { c.AuthorizeInterval = 10 * time.Second })
}

// TestConfiguredAuthorizeWins calls AuthorizeWith on a server that has a function to ask.
func TestConfiguredAuthorizeWins(t *testing.T) {
	t.Parallel()
	h, other := &host{}, &host{}
	inBubble(t, func(t *testing.T, f *fixture) {
		f.AuthorizeWith(other.Authorize)
		f.join(f.connect(), private, "ann")
		pass(15 * time.Second)
		require.Positive(t, h.rounds())
		require.Zero(t, other.rounds())
	}, func(c *ws.Config) { c.Authorize, c.AuthorizeInterval = h.Authorize, 10*time.Second })
}

// TestRecheck does not wait for the interval.
func TestRecheck(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		f.Recheck() // there is neither a connection nor a function to ask
		c := f.connect()
		f.join(c, private, "ann")
		f.Recheck()
		h := &host{denied: map[realtime.Listener]bool{}}
		f.AuthorizeWith(h.Authorize)
		pass(0)
		asked := h.rounds()
		h.set(func() { h.denied[realtime.Listener{UserID: "ann", Channel: private}] = true })
		silent(t, c)
		f.Recheck()
		require.Equal(t, revoked(private), next(t, c))
		require.Equal(t, asked+1, h.rounds())
	}, func(c *ws.Config) { c.AuthorizeInterval = time.Hour })
}
