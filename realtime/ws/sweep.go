package ws

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/murph-chat/murph/realtime"
)

const (
	sweepBatch    = 500              // listeners in one call of Config.Authorize or its substitute
	minSweepBatch = 31               // when the host takes too long for as many
	sweepTimeout  = 10 * time.Second // for one call
)

// AuthorizeWith implements [realtime.Rechecker]. With [Config.Authorize] it does
// nothing. With nil no listener is asked about any more.
func (s *Server) AuthorizeWith(f realtime.AuthorizeFunc) {
	if s.cfg.Authorize != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.authorizeWith = f
	if len(s.conns) > 0 && !s.draining {
		s.startSweepLocked()
	}
}

// Recheck implements [realtime.Rechecker]. Without a function to ask it does
// nothing.
func (s *Server) Recheck() { s.sweepSoon() }

// authorizeFunc returns the function to ask who may listen, or nil.
func (s *Server) authorizeFunc() realtime.AuthorizeFunc {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.authorizeFuncLocked()
}

func (s *Server) authorizeFuncLocked() realtime.AuthorizeFunc {
	if s.cfg.Authorize != nil {
		return s.cfg.Authorize
	}
	return s.authorizeWith
}

// sweep asks the host again and again who may still listen, until ctx ends. It is
// the goroutine of startSweepLocked.
func (s *Server) sweep(ctx context.Context) {
	defer close(s.sweepDone)
	size := sweepBatch
	for ctx.Err() == nil {
		s.untilSweep(ctx)
		size = s.sweepOnce(ctx, size)
	}
}

// sweepOnce asks about everybody, at most size of them in one call, and returns how many to ask about the next time. A host
// that is late may ask its database once for each, and be right with fewer; one that is late with few hangs, and its round
// is over.
func (s *Server) sweepOnce(ctx context.Context, size int) (next int) {
	next = min(size+size/4, sweepBatch)
	f := s.authorizeFunc()
	if f == nil {
		return next
	}
	for all := s.hub.listeners(); len(all) > 0 && ctx.Err() == nil; {
		n := min(len(all), size)
		if late := s.recheck(ctx, f, all[:n]); !late {
			all = all[n:]
			continue
		}
		size = max(n/4, minSweepBatch)
		next = size
		if n <= minSweepBatch {
			break
		}
	}
	return next
}

// untilSweep waits for the next round.
func (s *Server) untilSweep(ctx context.Context) {
	t := time.NewTimer(jitter(s.cfg.AuthorizeInterval))
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.sweepNow:
	case <-ctx.Done():
	}
}

// sweepSoon has the next round begin at once.
func (s *Server) sweepSoon() {
	select {
	case s.sweepNow <- struct{}{}:
	default:
	}
}

// recheck asks about one batch. When the host cannot tell, everybody stays: a database that is down must not disconnect
// the world. late says that it has not answered in time.
func (s *Server) recheck(ctx context.Context, f realtime.AuthorizeFunc, batch []realtime.Listener) (late bool) {
	asked := time.Now()
	allowed, err := s.authorize(ctx, f, batch)
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		s.limits.say("Authorize", "ws: subscriptions not checked", slog.Int("listeners", len(batch)), slog.Any("err", err))
		return time.Since(asked) >= sweepTimeout
	}
	for i, ok := range allowed {
		if !ok {
			s.hub.banish(batch[i], asked)
		}
	}
	return false
}

func (s *Server) authorize(ctx context.Context, f realtime.AuthorizeFunc, batch []realtime.Listener) (allowed []bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.panicked(p)
			err = fmt.Errorf("ws: authorize panicked with a %T", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	allowed, err = f(ctx, batch)
	if err == nil && len(allowed) != len(batch) {
		err = fmt.Errorf("ws: authorize gave %d answers to %d questions", len(allowed), len(batch))
	}
	return allowed, err
}

// startSweepLocked starts the sweep, unless it runs or there is no function to
// ask. It is called when a connection or a function to ask comes.
func (s *Server) startSweepLocked() {
	if s.authorizeFuncLocked() == nil || s.stopSweep != nil {
		return
	}
	var ctx context.Context
	ctx, s.stopSweep = context.WithCancel(context.Background())
	s.sweepDone = make(chan struct{})
	go s.sweep(ctx)
}

// jitter returns d give or take a fifth, so that the processes of a host do not ask all at once.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
