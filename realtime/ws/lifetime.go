package ws

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// lifetime ends a connection that has no use for being one, and one that has lasted long enough. One timer does for all
// of it.
type lifetime struct {
	born time.Time
	ends time.Duration // age at which it is over, or 0

	active     atomic.Bool // it has subscribed, or signed in, at least once
	authorized atomic.Bool // with a signature

	mu      sync.Mutex // guards what follows
	timer   *time.Timer
	stopped bool
}

// startLifetime starts the timer. Sessions end at an age of their own, in the last tenth of the longest, so that those
// who have come together do not come back together.
func (c *conn) startLifetime() {
	l, cfg := &c.life, &c.server.cfg
	l.born = time.Now()
	if cfg.MaxSessionAge > 0 {
		l.ends = time.Duration(float64(cfg.MaxSessionAge) * (1 - rand.Float64()/10))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if next := l.next(cfg, 0); next > 0 && !l.stopped {
		l.timer = time.AfterFunc(next, func() { c.contain(c.lifetimeDue) })
	}
}

func (c *conn) lifetimeDue() {
	l, cfg := &c.life, &c.server.cfg
	age := time.Since(l.born)
	switch {
	case cfg.AuthorizationTimeout > 0 && !l.authorized.Load() && age >= cfg.AuthorizationTimeout:
		c.server.limits.refused("AuthorizationTimeout")
		c.close(pusherproto.CodeUnauthorized, "Connection not authorized within timeout", false)
	case cfg.SubscribeTimeout > 0 && !l.active.Load() && age >= cfg.SubscribeTimeout:
		c.overLimit("No subscription", "SubscribeTimeout")
	case l.ends > 0 && age >= l.ends:
		c.close(pusherproto.CodeReconnect, "Session expired", false)
	default:
		l.mu.Lock()
		defer l.mu.Unlock()
		if next := l.next(cfg, age); next > 0 && !l.stopped {
			l.timer.Reset(next)
		}
	}
}

// next returns the time until something is to be looked at, or 0 for never.
func (l *lifetime) next(cfg *Config, age time.Duration) time.Duration {
	next := time.Duration(math.MaxInt64)
	for _, due := range []time.Duration{cfg.AuthorizationTimeout, cfg.SubscribeTimeout, l.ends} {
		if due > age {
			next = min(next, due-age)
		}
	}
	if next == math.MaxInt64 {
		return 0
	}
	return next
}

// stop lets go of the connection.
func (l *lifetime) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	if l.timer != nil {
		l.timer.Stop()
	}
}
