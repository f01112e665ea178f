// Package busqueue stands in a bus between Publish, which returns when its
// context ends, and the client of an engine, which may block for longer.
package busqueue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/murph-chat/murph/realtime"
)

const (
	// Max is how many frames wait at most.
	Max = 4096
	// Overhead is how many bytes a payload has beside its frame.
	Overhead = 1
)

// ErrStopped says that Publish was called before Start or after Stop.
var ErrStopped = errors.New("the bus does not run")

// Config is what [New] needs. All of it is required.
type Config struct {
	// Name begins the errors: the name of the bus's package.
	Name string
	// Full is what Publish returns when Max frames wait already.
	Full error
	// Batch is how many payloads Send is given at most.
	Batch int
	// Send publishes payloads on the engine's channel, and returns an error or
	// nil for each of them. It is called by one goroutine at a time, with
	// nothing locked.
	Send func(channel string, payloads [][]byte) []error
}

// Queue sends frames in the order in which they were published. While frames
// wait it has a goroutine, which ends by itself. Its methods are safe for
// concurrent use.
type Queue struct {
	cfg Config

	mu      sync.Mutex // guards what follows; never held while calling out
	running bool       // between Start and Stop
	channel string     // of the last Start
	waiting []*entry
	sending bool // the goroutine is there
}

// entry is a frame that waits, and the way back to its publisher.
type entry struct {
	shard  uint8
	frame  []byte     // the publisher's own; not used once the entry has left the queue
	result chan error // has room for one
}

// New makes a queue.
func New(cfg Config) *Queue { return &Queue{cfg: cfg} }

// Start lets frames in, for the engine's channel. It fails while the queue is
// started.
func (q *Queue) Start(channel string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running {
		return fmt.Errorf("%s: the bus runs already", q.cfg.Name)
	}
	q.running, q.channel = true, channel
	return nil
}

// Stop fails the frames that wait, and every later one until Start.
func (q *Queue) Stop() {
	q.mu.Lock()
	waiting := q.waiting
	q.running, q.waiting = false, nil
	q.mu.Unlock()
	for _, e := range waiting {
		e.result <- ErrStopped
	}
}

// Open takes apart a payload that was received; frame is a part of it. It
// reports false for a payload that no Queue has made.
func Open(payload []byte) (shard uint8, frame []byte, ok bool) {
	if len(payload) < Overhead || payload[0] >= realtime.BusShards {
		return 0, nil, false
	}
	return payload[0], payload[Overhead:], true
}

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
	if err := q.add(e); err != nil {
		return err
	}
	select {
	case err := <-e.result:
		return err
	case <-ctx.Done():
		q.withdraw(e)
		return ctx.Err()
	}
}

// add puts e into the queue. It fails when the bus does not run or Max frames
// wait.
func (q *Queue) add(e *entry) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case !q.running:
		return ErrStopped
	case len(q.waiting) >= Max:
		return q.cfg.Full
	}
	q.waiting = append(q.waiting, e)
	if !q.sending {
		q.sending = true
		go q.send()
	}
	return nil
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
		channel, batch, payloads := q.take()
		if len(batch) == 0 {
			return
		}
		for i, err := range q.cfg.Send(channel, payloads) {
			batch[i].result <- err
		}
	}
}

// take removes a batch from the queue and makes the payloads of it.
func (q *Queue) take() (channel string, batch []*entry, payloads [][]byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), q.cfg.Batch)
	if n == 0 {
		q.waiting, q.sending = nil, false
		return "", nil, nil
	}
	batch = slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	payloads = make([][]byte, 0, n)
	for _, e := range batch {
		payload := append(make([]byte, 0, Overhead+len(e.frame)), e.shard)
		payloads = append(payloads, append(payload, e.frame...))
	}
	return q.channel, batch, payloads
}
