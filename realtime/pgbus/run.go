package pgbus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/backoff"
)

// Run implements [realtime.Bus]. While another Run goes on it returns an error at once.
func (b *Bus) Run(ctx context.Context, name string, h realtime.BusHandler) error {
	if !b.running.CompareAndSwap(false, true) {
		return errors.New("pgbus: the bus runs already")
	}
	defer b.running.Store(false)
	channel := b.opts.Prefix + "_" + name
	r := &reporter{BusHandler: h}
	for failed := 0; ; failed++ {
		err := b.connected(ctx, channel, r)
		if ctx.Err() != nil {
			return fmt.Errorf("pgbus: run: %w", ctx.Err())
		}
		if r.ups {
			failed, r.ups = 0, false
		}
		r.down(err)
		select {
		case <-time.After(backoff.Wait(b.opts.MinWait, b.opts.MaxWait, failed)):
		case <-ctx.Done():
		}
	}
}

// reporter calls Up and Down as the interface wants it.
type reporter struct {
	realtime.BusHandler
	up, told bool
	ups      bool // Up was called since somebody looked
}

func (r *reporter) down(err error) {
	if r.up || !r.told {
		r.up, r.told = false, true
		r.Down(fmt.Errorf("pgbus: %w", err))
	}
}

func (r *reporter) upAgain() {
	r.up, r.ups = true, true
	r.Up()
}

// connected calls h from a new pair of connections until one is lost or ctx ends.
func (b *Bus) connected(ctx context.Context, channel string, r *reporter) error {
	ctx, cancel := context.WithCancelCause(ctx)
	s, err := b.connect(ctx, channel)
	if err != nil {
		cancel(err)
		return err
	}
	var wg sync.WaitGroup
	defer func() {
		b.out.set(false)
		cancel(context.Canceled)
		wg.Wait()
		s.close()
	}()
	wg.Go(func() { cancel(s.listen(ctx)) })
	wg.Go(func() { cancel(s.notify(ctx)) })

	confirm := time.NewTimer(b.opts.Timeout)
	defer confirm.Stop()
	select {
	case <-s.confirmed:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-confirm.C:
		return errDeaf
	}
	b.out.set(true)
	r.upAgain()
	return s.hand(ctx, r)
}

// hand gives the handler what comes.
func (s *session) hand(ctx context.Context, r *reporter) error {
	look := time.NewTicker(s.opts.Probe)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-look.C:
			if s.silent() {
				return errSilent
			}
		case <-s.in.wake:
			payloads, lost := s.in.take()
			for _, payload := range payloads {
				for _, f := range decode(payload) {
					if ctx.Err() != nil {
						return context.Cause(ctx)
					}
					r.Frame(f.shard, f.frame)
				}
			}
			if lost && ctx.Err() == nil {
				r.down(errSlow)
				r.upAgain()
			}
		}
	}
}
