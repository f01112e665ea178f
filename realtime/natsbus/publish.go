package natsbus

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go"

	"github.com/murph-chat/murph/realtime"
)

// maxQueue is how many frames wait for the client at most.
const maxQueue = 4096

var (
	// ErrBusy is what Publish returns when 4,096 frames wait for the client already, because its connection takes no
	// more.
	ErrBusy = errors.New("natsbus: too many frames wait for the connection")
	// ErrSilent is what Publish and Down report of a connection that is open, and on which the server does not answer.
	ErrSilent = errors.New("natsbus: the server does not answer")
)

// entry is a frame that waits for the client, and whoever waits for the result.
type entry struct {
	shard  uint8
	frame  []byte     // the publisher's own; not used once the entry has left the queue
	result chan error // has room for one
}

// Publish implements [realtime.Bus]. It returns when the client has the frame, and works whether or not the bus runs. Its
// errors are [nats.ErrDisconnected] and others of the client, wrapped, [ErrSilent], [ErrBusy], or as the interface says.
func (b *Bus) Publish(ctx context.Context, shard uint8, frame []byte) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("natsbus: publish: %w", err)
	}
	if shard >= realtime.BusShards {
		return fmt.Errorf("natsbus: publish: there is no shard %d", shard)
	}
	if limit := b.MaxFrame(); len(frame) > limit {
		return fmt.Errorf("natsbus: publish %d bytes of at most %d: %w", len(frame), limit, realtime.ErrTooLarge)
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
		return fmt.Errorf("natsbus: publish: %w", ctx.Err())
	}
}

// enqueue gives e to the goroutine that talks to the client, which may block for as long as the connection takes nothing.
// The goroutine ends when nothing waits.
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

// withdraw takes e out of the queue, if it is not with the client.
func (b *Bus) withdraw(e *entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.queue, e); i >= 0 {
		b.queue = slices.Delete(b.queue, i, i+1)
	}
}

// flush gives the client one frame after the other, until none waits.
func (b *Bus) flush() {
	for {
		e, payload := b.take()
		if e == nil {
			return
		}
		err := b.send(payload)
		if err != nil {
			err = fmt.Errorf("natsbus: publish: %w", err)
		}
		e.result <- err
	}
}

// take removes the first frame from the queue and seals it, so that numbers have the order of the queue.
func (b *Bus) take() (*entry, []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		b.queue, b.flushing = nil, false
		return nil, nil
	}
	e := b.queue[0]
	b.queue[0] = nil
	b.queue = b.queue[1:]
	size := realtime.BusSealSize + len(e.frame)
	return e, b.seal.Seal(make([]byte, 0, size), e.shard, e.frame)
}

func (b *Bus) send(payload []byte) error {
	switch {
	case b.conn.Status() != nats.CONNECTED: // the client would keep it for later
		return nats.ErrDisconnected
	case b.silent.Load():
		return ErrSilent
	}
	return b.conn.Publish(b.subject, payload)
}
