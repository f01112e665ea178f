package redisbus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/backoff"
	"github.com/murph-chat/murph/realtime/internal/busqueue"
)

// errSilent is what Down reports of a connection that is open, and dead.
var errSilent = errors.New("redis does not answer on the connection that receives")

// linger is how long the end of a session is waited for. One that is about to connect ends by the client's timeouts.
const linger = time.Second

// Run implements [realtime.Bus]. While another Run goes on it returns an error at once.
func (b *Bus) Run(ctx context.Context, name string, h realtime.BusHandler) error {
	channel := b.opts.Prefix + ":" + name
	if err := b.queue.Start(channel); err != nil {
		return err
	}
	defer b.queue.Stop()
	up, told, failed := false, false, 0
	for {
		err := b.receive(ctx, channel, h, func() { up, failed = true, 0 })
		if ctx.Err() != nil {
			return fmt.Errorf("redisbus: run: %w", ctx.Err())
		}
		if up || !told {
			h.Down(fmt.Errorf("redisbus: %w", err))
		}
		up, told = false, true
		select {
		case <-time.After(backoff.Wait(b.opts.MinWait, b.opts.MaxWait, failed)):
		case <-ctx.Done():
		}
		failed++
	}
}

// receive calls h until the connection is lost or ctx ends.
func (b *Bus) receive(ctx context.Context, channel string, h realtime.BusHandler, onUp func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &session{pubsub: b.client.Subscribe(ctx), in: make(chan any)} // without channels it does not connect yet
	var wg sync.WaitGroup
	ended := make(chan struct{})
	defer func() {
		cancel(context.Canceled)
		select {
		case <-ended:
		case <-time.After(linger):
		}
	}()
	wg.Go(func() { cancel(s.read(ctx, channel)) })
	wg.Go(func() { s.watch(ctx, b.opts.Probe, cancel) })
	wg.Go(func() {
		<-ctx.Done()
		_ = s.pubsub.Close() // it interrupts read
	})
	go func() {
		wg.Wait()
		close(ended)
	}()

	up := false
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case message := <-s.in:
			if ctx.Err() != nil { // both were ready
				return context.Cause(ctx)
			}
			switch m := message.(type) {
			case *redis.Subscription:
				if up || m.Kind != "subscribe" {
					return errors.New("the client has changed the connection")
				}
				up = true
				onUp()
				h.Up()
			case *redis.Message:
				if shard, frame, ok := busqueue.Open([]byte(m.Payload)); ok && up {
					h.Frame(shard, frame)
				}
			}
		}
	}
}

// session is one connection that receives.
type session struct {
	pubsub *redis.PubSub
	in     chan any
	// waiting counts up whenever read begins to wait for Redis, and is negative while it does not.
	waiting atomic.Int64
}

// read subscribes and hands over what comes, until the connection is lost. It does not call the handler, so that Run need
// not wait for it.
func (s *session) read(ctx context.Context, channel string) error {
	if err := s.pubsub.Subscribe(ctx, channel); err != nil {
		return err
	}
	for n := int64(1); ; n++ {
		s.waiting.Store(n)
		message, err := s.pubsub.Receive(ctx)
		s.waiting.Store(-n)
		if err != nil {
			return err
		}
		select {
		case s.in <- message:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// watch asks Redis for an answer when nothing has come for a while, and ends the session when there is none. While the
// handler is busy nothing is read, and nothing can be said about the connection.
func (s *session) watch(ctx context.Context, interval time.Duration, cancel context.CancelCauseFunc) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var last int64
	silent := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		n := s.waiting.Load()
		if n <= 0 || n != last {
			last, silent = n, 0
			continue
		}
		switch silent++; silent {
		case 1:
			if err := s.pubsub.Ping(ctx); err != nil {
				cancel(err)
				return
			}
		case 3:
			cancel(errSilent)
			return
		}
	}
}
