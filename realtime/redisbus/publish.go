package redisbus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/murph-chat/murph/realtime"
)

const (
	maxQueue = 4096 // frames that wait for the next round trip
	maxBatch = 256  // frames in one round trip
)

// ErrBusy is what Publish returns when 4,096 frames wait for Redis already.
var ErrBusy = errors.New("redisbus: too many frames wait for Redis")

// entry is a frame that waits for its round trip, and whoever waits for the result.
type entry struct {
	shard  uint8
	frame  []byte     // the publisher's own; not used once the entry has left the queue
	result chan error // has room for one
}

// Publish implements [realtime.Bus]. It returns when Redis has answered, and works whether or not the bus runs. Its
// errors are those of the client, wrapped, [ErrBusy], or as the interface says.
func (b *Bus) Publish(ctx context.Context, shard uint8, frame []byte) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("redisbus: publish: %w", err)
	}
	if shard >= realtime.BusShards {
		return fmt.Errorf("redisbus: publish: there is no shard %d", shard)
	}
	if len(frame) > MaxFrame {
		return fmt.Errorf("redisbus: publish %d bytes: %w", len(frame), realtime.ErrTooLarge)
	}
	e := &entry{shard: shard, frame: frame, result: make(chan error, 1)}
	if err := b.enqueue(e); err != nil {
		return err
	}
	select {
	case err := <-e.result:
		return err
	case <-ctx.Done():
		b.withdraw(e)
		return fmt.Errorf("redisbus: publish: %w", ctx.Err())
	}
}

// enqueue adds e to the next round trip. The goroutine that makes the round trips ends when nothing waits.
func (b *Bus) enqueue(e *entry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) >= maxQueue {
		return ErrBusy
	}
	b.queue = append(b.queue, e)
	if !b.flushing {
		b.flushing = true
		go b.flush()
	}
	return nil
}

// withdraw takes e out of the queue, if it is not under way.
func (b *Bus) withdraw(e *entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.queue, e); i >= 0 {
		b.queue = slices.Delete(b.queue, i, i+1)
	}
}

// flush makes round trips, one after the other, until nothing waits.
func (b *Bus) flush() {
	for {
		entries, payloads := b.take()
		if len(entries) == 0 {
			return
		}
		b.send(entries, payloads)
	}
}

// take removes what fits into a round trip from the queue and seals it, so that numbers have the order of the queue.
func (b *Bus) take() (entries []*entry, payloads [][]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.queue), maxBatch)
	if n == 0 {
		b.queue, b.flushing = nil, false
		return nil, nil
	}
	entries = slices.Clone(b.queue[:n])
	b.queue = slices.Delete(b.queue, 0, n)
	for _, e := range entries {
		size := realtime.BusSealSize + len(e.frame)
		payloads = append(payloads, b.seal.Seal(make([]byte, 0, size), e.shard, e.frame))
	}
	return entries, payloads
}

// send makes one round trip and tells those who wait.
func (b *Bus) send(entries []*entry, payloads [][]byte) {
	ctx, cancel := context.WithTimeout(context.Background(), b.opts.Timeout) // it is for all who wait
	defer cancel()
	results := make([]*redis.IntCmd, len(payloads))
	_, failure := b.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, payload := range payloads {
			results[i] = pipe.Publish(ctx, b.channel, payload)
		}
		return nil
	})
	// When no connection was made, the client may leave the commands without an error of their own.
	if slices.ContainsFunc(results, func(r *redis.IntCmd) bool { return r.Err() != nil }) {
		failure = nil
	}
	for i, e := range entries {
		err := cmp.Or(results[i].Err(), failure)
		if err != nil {
			err = fmt.Errorf("redisbus: publish: %w", err)
		}
		e.result <- err
	}
}
