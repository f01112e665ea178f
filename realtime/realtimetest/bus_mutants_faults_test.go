package realtimetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
)

func brokenRuns() []brokenBus {
	return []brokenBus{
		{"ends in order", []string{"Cancel"}, running(func(ctx context.Context, b *inmem.Bus, name string, h realtime.BusHandler) error {
			_ = b.Run(ctx, name, h)
			return nil
		})},
		{"goes on after the end", []string{"Cancel"}, running(func(ctx context.Context, b *inmem.Bus, name string, h realtime.BusHandler) error {
			go func() { _ = b.Run(context.WithoutCancel(ctx), name, h) }()
			<-ctx.Done()
			return ctx.Err()
		})},
		{"never ends", []string{"Cancel", "RunAgain"}, running(func(ctx context.Context, b *inmem.Bus, name string, h realtime.BusHandler) error {
			return b.Run(context.WithoutCancel(ctx), name, h)
		})},
		{"runs once only", []string{"RunAgain"}, func(b *inmem.Bus) realtime.Bus {
			ran := false
			return &faulty{Bus: b, run: func(ctx context.Context, name string, h realtime.BusHandler) error {
				if ran {
					return errBroken
				}
				ran = true
				return b.Run(ctx, name, h)
			}}
		}},
		{"gives up before the first Up", []string{"Unreachable"}, givingUp(true)},
		{"gives up", []string{"Kick", "Restart", "Outage"}, givingUp(false)},
	}
}

// givingUp ends Run when the engine is out of reach.
func givingUp(always bool) func(*inmem.Bus) realtime.Bus {
	return running(func(ctx context.Context, b *inmem.Bus, name string, h realtime.BusHandler) error {
		ctx, cancel := context.WithCancelCause(ctx)
		up := always
		err := b.Run(ctx, name, &filter{
			BusHandler: h,
			up:         func(h realtime.BusHandler) { up = true; h.Up() },
			down: func(h realtime.BusHandler, err error) {
				h.Down(err)
				if up {
					cancel(errBroken)
				}
			},
		})
		return errors.Join(err, context.Cause(ctx))
	})
}

func brokenFaults() []brokenBus {
	return []brokenBus{
		{"does not say that it is down", []string{"Kick", "Outage", "Unreachable", "Stall"}, calling(func() filter {
			return filter{down: func(realtime.BusHandler, error) {}}
		})},
		{"says twice that it is down", []string{"Kick", "Outage", "Unreachable", "Stall"}, calling(func() filter {
			return filter{down: func(h realtime.BusHandler, err error) { h.Down(err); h.Down(err) }}
		})},
		{"does not say that it is up again", []string{"Kick", "KickUnderLoad", "Restart", "Outage", "Stall"}, calling(func() filter {
			up := false
			return filter{up: func(h realtime.BusHandler) {
				if !up {
					up = true
					h.Up()
				}
			}}
		})},
		{"shows the name", []string{"Unreachable"}, running(func(ctx context.Context, b *inmem.Bus, name string, h realtime.BusHandler) error {
			return b.Run(ctx, name, &filter{BusHandler: h, down: func(h realtime.BusHandler, err error) {
				h.Down(fmt.Errorf("channel %s: %w", name, err))
			}})
		})},
		{"keeps frames for later", []string{"Outage"}, keeping(func(error) error { return nil })},
		{"fails and keeps frames for later", []string{"Outage"}, keeping(func(err error) error { return err })},
	}
}

// keeping publishes what has failed before what comes next.
func keeping(result func(error) error) func(*inmem.Bus) realtime.Bus {
	return publishing(func(b *inmem.Bus) publishFunc {
		kept := map[uint8][][]byte{}
		return func(ctx context.Context, shard uint8, frame []byte) error {
			kept[shard] = append(kept[shard], bytes.Clone(frame))
			for len(kept[shard]) > 0 {
				if err := b.Publish(ctx, shard, kept[shard][0]); err != nil {
					return result(err)
				}
				kept[shard] = kept[shard][1:]
			}
			return nil
		}
	})
}
