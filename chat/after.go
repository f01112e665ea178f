package chat

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// The bounds of the calls of [Options.AfterSend].
const (
	maxAfterSend      = 1000 // messages that wait for their call
	parallelAfterSend = 8    // calls at the same time
	maxHungAfterSend  = 100  // calls that run although their time is over
)

// afterSend calls the host's hook in goroutines that end when there is nothing left to tell.
type afterSend struct {
	hook    func(context.Context, Message)
	timeout time.Duration
	log     *slog.Logger
	stats   *counters
	calls   *hookCalls

	mu      sync.Mutex // guards what follows
	waiting []stored
	running int
	idle    chan struct{} // closed when nothing runs any more; nil if nobody waits for that
}

// stored is a message and the context of its send, without its end.
type stored struct {
	ctx     context.Context // kept for its values, from the end of a send to the call of the hook
	message Message
}

// call queues the call of the hook, and never blocks.
func (a *afterSend) call(ctx context.Context, m Message) {
	if a.hook == nil {
		return
	}
	if !a.put(stored{context.WithoutCancel(ctx), m}) {
		a.stats.hooksDropped.Add(1)
		a.log.LogAttrs(ctx, slog.LevelWarn, "after send not called, too many wait", slog.Any("message", m))
	}
}

func (a *afterSend) put(s stored) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) >= maxAfterSend {
		return false
	}
	a.waiting = append(a.waiting, s)
	if a.running < parallelAfterSend {
		a.running++
		go a.work()
	}
	return true
}

// work calls the hook until nothing waits.
func (a *afterSend) work() {
	for s, ok := a.take(); ok; s, ok = a.take() {
		a.run(s)
	}
}

// take returns the next message; without one, the goroutine that asks counts as ended.
func (a *afterSend) take() (s stored, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) > 0 {
		s, a.waiting[0] = a.waiting[0], stored{}
		a.waiting = a.waiting[1:]
		return s, true
	}
	if a.running--; a.running == 0 && a.idle != nil {
		close(a.idle)
		a.idle = nil
	}
	return s, false
}

// run calls the hook and gives it up when its time is over. While too many calls hang it waits for one to return.
func (a *afterSend) run(s stored) {
	_ = a.calls.acquire(s.ctx) // s.ctx does not end
	ctx, cancel := context.WithTimeout(s.ctx, a.timeout)
	defer cancel()
	err := a.calls.run(ctx, func() error {
		a.hook(ctx, s.message)
		return nil
	})
	if err != nil {
		a.stats.hookFailures.Add(1)
		a.log.LogAttrs(ctx, slog.LevelError, "after send", slog.Any("message", s.message), slog.Any("err", err))
	}
}

// queued is how many messages wait for their call.
func (a *afterSend) queued() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.waiting)
}

// Wait returns when the calls of [Options.AfterSend] for all messages that have been sent are over or were given up, or
// when ctx ends, with an error that wraps ctx.Err(). A program that stops calls it after its HTTP server has stopped.
func (s *Service) Wait(ctx context.Context) error {
	a := s.after
	a.mu.Lock()
	if a.running == 0 {
		a.mu.Unlock()
		return nil
	}
	if a.idle == nil {
		a.idle = make(chan struct{})
	}
	idle := a.idle
	a.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("chat: wait for the hooks: %w", ctx.Err())
	}
}
