package ws

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// drainPerConn is the pace of Shutdown: 500 connections a second.
const drainPerConn = 2 * time.Millisecond

// drainStep is the shortest pause worth a timer.
const drainStep = 10 * time.Millisecond

// Shutdown refuses new connections with 4100, closes the existing ones with 4200 and waits until they are gone. Clients
// reconnect at once upon 4200, without any jitter of their own, so the closing is spread over time
// ([Config.DrainTime]), or over less if ctx has less. Then it ends Run and sends the webhooks that wait, one attempt each.
// When ctx ends first, all connections left are cut, webhooks are dropped, and the error wraps ctx.Err(). It may be called
// more than once. The http.Server does not do any of this for upgraded connections; call both, this one first.
func (s *Server) Shutdown(ctx context.Context) error {
	conns := s.startDraining()
	_ = s.fanout.flush(ctx) // what was broadcast before goes out before the close frames
	rand.Shuffle(len(conns), func(i, j int) { conns[i], conns[j] = conns[j], conns[i] })
	spread := min(s.cfg.DrainTime, time.Duration(len(conns))*drainPerConn)
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		spread = min(spread, left-min(s.cfg.CloseTimeout, left/2)) // the last one needs some for its answer
	}
	start := time.Now()
	for i, c := range conns {
		if due := time.Until(start.Add(spread * time.Duration(i) / time.Duration(len(conns)))); due >= drainStep {
			pause(ctx, due)
		}
		c.close(pusherproto.CodeReconnect, "Shutting down", false)
	}
	defer s.end(ctx)
	select {
	case <-s.idle:
		select {
		case <-s.sweepDone:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("ws: shutdown: the Authorize function has not returned: %w", ctx.Err())
		}
	case <-ctx.Done():
	}
	left := s.remaining()
	for _, c := range left {
		_ = c.wire.Close()
	}
	return fmt.Errorf("ws: shutdown: %d of %d connections cut: %w", len(left), len(conns), ctx.Err())
}

// end is what comes when no connection is left, or no time. What is held back for the webhooks is for the other nodes to
// say, where the clients have gone to, so this one leaves them first.
func (s *Server) end(ctx context.Context) {
	left, done := s.endRun(ctx)
	left()
	s.hooks.close(ctx)
	done()
	s.hub.forgetAll()
}

// startDraining closes the door and returns who is inside.
func (s *Server) startDraining() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining {
		s.draining = true
		if s.stopSweep != nil {
			s.stopSweep()
		} else {
			s.sweepDone = make(chan struct{})
			close(s.sweepDone)
		}
		if len(s.conns) == 0 {
			close(s.idle)
		}
	}
	return slices.Collect(maps.Keys(s.conns))
}

// remaining returns who is still inside.
func (s *Server) remaining() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.conns))
}

// pause waits for d, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
