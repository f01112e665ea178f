// Package busqueue is what a bus has between Publish, which returns when its context ends, and the client of an engine,
// which may block for longer.
package busqueue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/murph-chat/murph/realtime"
)

// Max is how many frames wait at most.
const Max = 4096

// Config is what [New] needs. All of it is required.
type Config struct {
	// Name begins the errors: that of the bus's package.
	Name string
	// Full is what Publish returns when Max frames wait already.
	Full error
	// Batch is how many frames Send is given at most.
	Batch int
	// Send hands sealed frames over, and returns an error or nil for each of them. It is called by one goroutine at a
	// time, with nothing locked.
	Send func(sealed [][]byte) []error
}

// Queue seals frames and sends them in the order in which they were published. It has a goroutine as long as something
// waits, which ends by itself. Its methods are safe for concurrent use.
type Queue struct {
	cfg  Config
	seal *realtime.BusSeal

	mu      sync.Mutex // guards what follows; never held while calling out
	waiting []*entry
	sending bool // the goroutine is there
}

// entry is a frame that waits, and whoever waits for the result.
type entry struct {
	shard  uint8
	frame  []byte     // the publisher's own; not used once the entry has left the queue
	result chan error // has room for one
}

// New makes a queue with a seal of its own.
func New(cfg Config) *Queue { return &Queue{cfg: cfg, seal: realtime.NewBusSeal()} }

// Open takes apart what was received: see [realtime.BusSeal.Open].
func (q *Queue) Open(sealed []byte) (shard uint8, frame []byte, ok bool) { return q.seal.Open(sealed) }

// Publish returns when Send has returned, or ctx has ended, as the Publish of [realtime.Bus] has to. limit is the largest
// frame that the engine takes.
func (q *Queue) Publish(ctx context.Context, shard uint8, frame []byte, limit int) error {
	err := ctx.Err()
	switch {
	case err != nil:
	case shard >= realtime.BusShards:
		err = fmt.Errorf("there is no shard %d", shard)
	case len(frame) > limit:
		err = fmt.Errorf("%d bytes of at most %d: %w", len(frame), limit, realtime.ErrTooLarge)
	default:
		err = q.publish(ctx, shard, frame)
	}
	if err == nil || errors.Is(err, q.cfg.Full) { // which has the name already
		return err
	}
	return fmt.Errorf("%s: publish: %w", q.cfg.Name, err)
}

func (q *Queue) publish(ctx context.Context, shard uint8, frame []byte) error {
	e := &entry{shard: shard, frame: frame, result: make(chan error, 1)}
	if !q.add(e) {
		return q.cfg.Full
	}
	select {
	case err := <-e.result:
		return err
	case <-ctx.Done():
		q.withdraw(e)
		return ctx.Err()
	}
}

// add reports whether there was room.
func (q *Queue) add(e *entry) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= Max {
		return false
	}
	q.waiting = append(q.waiting, e)
	if !q.sending {
		q.sending = true
		go q.send()
	}
	return true
}

// withdraw takes e out of the queue, if it is not with Send.
func (q *Queue) withdraw(e *entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, e); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
}

// send gives Send one batch after the other, until nothing waits.
func (q *Queue) send() {
	for {
		batch, sealed := q.take()
		if len(batch) == 0 {
			return
		}
		for i, err := range q.cfg.Send(sealed) {
			batch[i].result <- err
		}
	}
}

// take removes a batch from the queue and seals it, so that numbers have the order of the queue.
func (q *Queue) take() (batch []*entry, sealed [][]byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), q.cfg.Batch)
	if n == 0 {
		q.waiting, q.sending = nil, false
		return nil, nil
	}
	batch = slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	sealed = make([][]byte, 0, n)
	for _, e := range batch {
		size := realtime.BusSealSize + len(e.frame)
		sealed = append(sealed, q.seal.Seal(make([]byte, 0, size), e.shard, e.frame))
	}
	return batch, sealed
}
