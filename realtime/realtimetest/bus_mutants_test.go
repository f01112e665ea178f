package realtimetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
)

// brokenBus is a bus with one fault, and the cases of the suite that have to find it.
type brokenBus struct {
	name  string
	cases []string
	// wrap puts the fault around a good bus. It is called for one node after the other of an engine.
	wrap func(*inmem.Bus) realtime.Bus
}

// faulty replaces what is set.
type faulty struct {
	*inmem.Bus
	publish  func(ctx context.Context, shard uint8, frame []byte) error
	run      func(ctx context.Context, name string, h realtime.BusHandler) error
	maxFrame int
}

func (f *faulty) Publish(ctx context.Context, shard uint8, frame []byte) error {
	if f.publish == nil {
		return f.Bus.Publish(ctx, shard, frame)
	}
	return f.publish(ctx, shard, frame)
}

func (f *faulty) Run(ctx context.Context, name string, h realtime.BusHandler) error {
	if f.run == nil {
		return f.Bus.Run(ctx, name, h)
	}
	return f.run(ctx, name, h)
}

func (f *faulty) MaxFrame() int {
	if f.maxFrame == 0 {
		return f.Bus.MaxFrame()
	}
	return f.maxFrame
}

// publishing breaks Publish.
func publishing(publish func(b *inmem.Bus) func(context.Context, uint8, []byte) error) func(*inmem.Bus) realtime.Bus {
	return func(b *inmem.Bus) realtime.Bus { return &faulty{Bus: b, publish: publish(b)} }
}

// filter stands before the handler that a test has given to Run. What is nil is passed on.
type filter struct {
	realtime.BusHandler
	frame func(h realtime.BusHandler, shard uint8, frame []byte)
	up    func(h realtime.BusHandler)
	down  func(h realtime.BusHandler, err error)
}

func (f *filter) Frame(shard uint8, frame []byte) {
	if f.frame == nil {
		f.BusHandler.Frame(shard, frame)
		return
	}
	f.frame(f.BusHandler, shard, frame)
}

func (f *filter) Up() {
	if f.up == nil {
		f.BusHandler.Up()
		return
	}
	f.up(f.BusHandler)
}

func (f *filter) Down(err error) {
	if f.down == nil {
		f.BusHandler.Down(err)
		return
	}
	f.down(f.BusHandler, err)
}

// calling breaks the calls of the handler. The filter is made anew for every Run.
func calling(make func() filter) func(*inmem.Bus) realtime.Bus {
	return func(b *inmem.Bus) realtime.Bus {
		return &faulty{Bus: b, run: func(ctx context.Context, name string, h realtime.BusHandler) error {
			f := make()
			f.BusHandler = h
			return b.Run(ctx, name, &f)
		}}
	}
}

func running(run func(ctx context.Context, b *inmem.Bus, name string, h realtime.BusHandler) error) func(*inmem.Bus) realtime.Bus {
	return func(b *inmem.Bus) realtime.Bus {
		return &faulty{Bus: b, run: func(ctx context.Context, name string, h realtime.BusHandler) error { return run(ctx, b, name, h) }}
	}
}

func frames(frame func(h realtime.BusHandler, shard uint8, frame []byte)) func(*inmem.Bus) realtime.Bus {
	return calling(func() filter { return filter{frame: frame} })
}

var errBroken = errors.New("broken")

type publishFunc = func(context.Context, uint8, []byte) error

func brokenBuses() []brokenBus {
	return slices.Concat(brokenFrames(), brokenPublish(), brokenRuns(), brokenFaults())
}

func brokenFrames() []brokenBus {
	return []brokenBus{
		{"is not told what it said itself", []string{"Everyone"}, func(b *inmem.Bus) realtime.Bus {
			var own sync.Map
			return &faulty{Bus: b, publish: func(ctx context.Context, shard uint8, frame []byte) error {
				own.Store(string(frame), true)
				return b.Publish(ctx, shard, frame)
			}, run: func(ctx context.Context, name string, h realtime.BusHandler) error {
				return b.Run(ctx, name, &filter{BusHandler: h, frame: func(h realtime.BusHandler, shard uint8, frame []byte) {
					if _, ok := own.Load(string(frame)); !ok {
						h.Frame(shard, frame)
					}
				}})
			}}
		}},
		{"is up too early", []string{"Everyone"}, func(b *inmem.Bus) realtime.Bus {
			published := make(chan struct{})
			var once sync.Once
			return &faulty{Bus: b, publish: func(ctx context.Context, shard uint8, frame []byte) error {
				err := b.Publish(ctx, shard, frame)
				once.Do(func() { close(published) })
				return err
			}, run: func(ctx context.Context, name string, h realtime.BusHandler) error {
				h.Up()
				select {
				case <-published:
				case <-ctx.Done():
					return ctx.Err()
				}
				return b.Run(ctx, name, &filter{BusHandler: h, up: func(realtime.BusHandler) {}})
			}}
		}},
		{"hears every name", []string{"Names"}, running(func(ctx context.Context, b *inmem.Bus, _ string, h realtime.BusHandler) error {
			return b.Run(ctx, "everyone", h)
		})},
		{"shortens the name", []string{"Names"}, running(func(ctx context.Context, b *inmem.Bus, name string, h realtime.BusHandler) error {
			return b.Run(ctx, name[:min(len(name), 31)], h)
		})},
		{"loses empty frames", []string{"Bytes"}, frames(func(h realtime.BusHandler, shard uint8, frame []byte) {
			if len(frame) > 0 {
				h.Frame(shard, frame)
			}
		})},
		{"is for text", []string{"Bytes"}, frames(func(h realtime.BusHandler, shard uint8, frame []byte) {
			h.Frame(shard, bytes.ToValidUTF8(frame, []byte("?")))
		})},
		{"truncates", []string{"Sizes"}, publishing(func(b *inmem.Bus) publishFunc {
			return func(ctx context.Context, shard uint8, frame []byte) error {
				return b.Publish(ctx, shard, frame[:min(len(frame), b.MaxFrame())])
			}
		})},
		{"takes less than it says", []string{"Sizes"}, publishing(func(b *inmem.Bus) publishFunc {
			return func(ctx context.Context, shard uint8, frame []byte) error {
				if len(frame) >= b.MaxFrame() {
					return fmt.Errorf("too large: %w", realtime.ErrTooLarge)
				}
				return b.Publish(ctx, shard, frame)
			}
		})},
		{"takes too little", []string{"Sizes"}, func(b *inmem.Bus) realtime.Bus { return &faulty{Bus: b, maxFrame: 1023} }},
		{"has half of the shards", []string{"Shards"}, frames(func(h realtime.BusHandler, shard uint8, frame []byte) {
			h.Frame(shard%(realtime.BusShards/2), frame)
		})},
		{"keeps the publisher's frame", []string{"Reuse"}, publishing(func(b *inmem.Bus) publishFunc {
			type kept struct {
				shard uint8
				frame []byte
			}
			var last *kept
			return func(ctx context.Context, shard uint8, frame []byte) error {
				before := last
				last = &kept{shard, frame}
				if before == nil {
					return nil
				}
				return b.Publish(ctx, before.shard, before.frame)
			}
		})},
		{"gives all nodes the same bytes", []string{"OwnFrame"}, sharing()},
		{"ends when it is told nonsense", []string{"Strange"}, running(func(ctx context.Context, b *inmem.Bus, name string, h realtime.BusHandler) error {
			ctx, cancel := context.WithCancelCause(ctx)
			err := b.Run(ctx, name, &filter{BusHandler: h, frame: func(h realtime.BusHandler, shard uint8, frame []byte) {
				if string(frame) == "{" {
					cancel(errBroken)
				}
				h.Frame(shard, frame)
			}})
			return errors.Join(err, context.Cause(ctx))
		})},
		{"is down when it is told nonsense", []string{"Strange"}, frames(func(h realtime.BusHandler, shard uint8, frame []byte) {
			if string(frame) == "{" {
				h.Down(errBroken)
				h.Up()
			}
			h.Frame(shard, frame)
		})},
	}
}

// sharing hands the slice that one node has published to the handlers of all nodes.
func sharing() func(*inmem.Bus) realtime.Bus {
	var mu sync.Mutex
	var all [][]byte
	return func(b *inmem.Bus) realtime.Bus {
		return &faulty{Bus: b, publish: func(ctx context.Context, shard uint8, frame []byte) error {
			mu.Lock()
			all = append(all, bytes.Clone(frame))
			number := strconv.Itoa(len(all) - 1)
			mu.Unlock()
			return b.Publish(ctx, shard, []byte(number))
		}, run: func(ctx context.Context, name string, h realtime.BusHandler) error {
			return b.Run(ctx, name, &filter{BusHandler: h, frame: func(h realtime.BusHandler, shard uint8, frame []byte) {
				mu.Lock()
				defer mu.Unlock()
				number, _ := strconv.Atoi(string(frame))
				h.Frame(shard, all[number])
			}})
		}}
	}
}

func brokenPublish() []brokenBus {
	return []brokenBus{
		{"says nothing of it when it does not run", []string{"Stopped"}, publishing(func(b *inmem.Bus) publishFunc {
			return func(ctx context.Context, shard uint8, frame []byte) error {
				err := b.Publish(ctx, shard, frame)
				if err != nil && strings.Contains(err.Error(), "does not run") {
					return nil
				}
				return err
			}
		})},
		{"loses one of a hundred", []string{"Concurrent"}, publishing(func(b *inmem.Bus) publishFunc {
			var n atomic.Int64
			return func(ctx context.Context, shard uint8, frame []byte) error {
				if n.Add(1)%100 == 0 {
					return nil
				}
				return b.Publish(ctx, shard, frame)
			}
		})},
		{"ignores the context", []string{"EndedContext"}, publishing(func(b *inmem.Bus) publishFunc {
			return func(ctx context.Context, shard uint8, frame []byte) error {
				return b.Publish(context.WithoutCancel(ctx), shard, frame)
			}
		})},
		{"publishes too late", []string{"EndedContext"}, publishing(func(b *inmem.Bus) publishFunc {
			return func(ctx context.Context, shard uint8, frame []byte) error {
				return errors.Join(b.Publish(context.WithoutCancel(ctx), shard, frame), ctx.Err())
			}
		})},
		{"says that its context has ended in words of its own", []string{"EndedContext"}, publishing(func(b *inmem.Bus) publishFunc {
			return func(ctx context.Context, shard uint8, frame []byte) error {
				if b.Publish(ctx, shard, frame) != nil {
					return errBroken
				}
				return nil
			}
		})},
		{"blocks", []string{"Stall"}, publishing(func(b *inmem.Bus) publishFunc {
			return func(ctx context.Context, shard uint8, frame []byte) error {
				return b.Publish(context.WithoutCancel(ctx), shard, frame)
			}
		})},
		{"calls at the same time", []string{"OneAtATime"}, frames(func(h realtime.BusHandler, shard uint8, frame []byte) {
			go h.Frame(shard, bytes.Clone(frame))
		})},
		{"does not tell that it was too slow", []string{"Slow"}, calling(func() filter {
			quiet := false
			return filter{
				down: func(h realtime.BusHandler, err error) {
					if quiet = errors.Is(err, inmem.ErrOverflow); !quiet {
						h.Down(err)
					}
				},
				up: func(h realtime.BusHandler) {
					if !quiet {
						h.Up()
					}
				},
			}
		})},
	}
}
