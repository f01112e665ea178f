package httpadapter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// errBusy stands for a part that has not come back from its last check.
var errBusy = errors.New("the last check has not ended")

// refresh returns what to wait for before the answer is fresh, nil if it is. The round that it may start does not end with
// the request: others wait for it too.
func (h *Health) refresh(ctx context.Context) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.draining, h.round == nil && !h.at.IsZero() && time.Since(h.at) < h.opts.MaxAge:
		return nil
	case h.round == nil:
		h.round = make(chan struct{})
		go h.check(context.WithoutCancel(ctx), h.round)
	}
	return h.round
}

// check asks all parts at once. It takes as long as the slowest, and at most the timeout.
func (h *Health) check(ctx context.Context, round chan struct{}) {
	var asked sync.WaitGroup
	results := make([]error, len(h.parts))
	for i := range h.parts {
		asked.Go(func() { results[i] = h.ask(ctx, i) })
	}
	asked.Wait()
	for i, err := range results {
		h.settle(ctx, i, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at, h.round = time.Now(), nil
	close(round)
}

// ask checks one part. One that ignores its context is left behind, and not asked again until it has come back.
func (h *Health) ask(ctx context.Context, i int) error {
	h.mu.Lock()
	busy := h.busy[i]
	h.busy[i] = true
	h.mu.Unlock()
	if busy {
		return errBusy
	}
	ctx, cancel := context.WithTimeout(ctx, h.opts.Timeout)
	defer cancel()
	answer := make(chan error, 1)
	go func() {
		err := checked(ctx, h.parts[i])
		h.mu.Lock()
		h.busy[i] = false
		h.mu.Unlock()
		answer <- err
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// checked turns a panic into an error.
func checked(ctx context.Context, p Part) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the check panicked with a %T", r)
		}
	}()
	return p.Check(ctx)
}

// settle keeps what was found about a part, and logs it if it is new.
func (h *Health) settle(ctx context.Context, i int, err error) {
	now, level := stateOK, slog.LevelInfo
	var degraded interface{ Degraded() bool }
	switch {
	case errors.As(err, &degraded) && degraded.Degraded():
		now, level = stateDegraded, slog.LevelWarn
	case err != nil:
		now, level = stateDown, slog.LevelError
	}
	h.mu.Lock()
	before := h.states[i]
	h.states[i] = now
	h.mu.Unlock()
	if now != before {
		h.opts.Logger.LogAttrs(ctx, level, "health has changed",
			slog.String("part", h.parts[i].Name), slog.String("status", string(now)), slog.Any("err", err))
	}
}
