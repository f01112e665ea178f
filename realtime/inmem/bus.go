package inmem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/murph-chat/murph/realtime"
)

const (
	// MaxBusFrame is the largest frame that a [Bus] takes, in bytes.
	MaxBusFrame = 64 << 10
	// BusQueue is how many frames wait for a node at most. What comes when so many wait is lost for that node, which is
	// told so with Down.
	BusQueue = 4096
)

// ErrUnreachable is what Publish and Down report of a node that [Bus.Partition] or [Bus.Hang] keeps from the others.
var ErrUnreachable = errors.New("inmem: the engine cannot be reached")

var errStopped = errors.New("the bus does not run")

// ErrOverflow is what Down reports when more than [BusQueue] frames waited for the node.
var ErrOverflow = errors.New("inmem: frames were lost because the handler is too slow")

// BusHub is the engine that the nodes of a cluster in one process share. The zero value is ready for use; it must not be
// copied afterwards. Its methods are safe for concurrent use. It has no clock and starts no goroutine, so that a test can
// run it in a synctest bubble.
type BusHub struct {
	mu    sync.Mutex // guards what follows and the fields of all nodes
	nodes []*Bus
}

// Node makes the bus of one more node.
func (h *BusHub) Node() *Bus {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := &Bus{hub: h, wake: make(chan struct{}, 1)}
	h.nodes = append(h.nodes, b)
	return b
}

// Inject publishes frame as another program with access to the engine can: to
// every node that runs under name. It is for tests of what such a program can
// do.
func (h *BusHub) Inject(name string, shard uint8, frame []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.publishLocked(name, shard, frame)
}

func (h *BusHub) publishLocked(name string, shard uint8, frame []byte) {
	for _, node := range h.nodes {
		if node.name == name {
			node.takeLocked(shard, frame)
		}
	}
}

// Bus is the [realtime.Bus] of one node, made by [BusHub.Node]. When Publish
// has returned, the frame waits for each node that runs under the same name and
// is up; the goroutine of its Run hands it over. All methods are safe for
// concurrent use.
type Bus struct {
	hub  *BusHub
	wake chan struct{} // has room for one signal: there may be something to do for Run

	// What follows is guarded by hub.mu.
	running  bool
	name     string        // of the current Run
	up       bool          // Run has called Up, or is about to, and not Down since
	down     error         // what Down has still to be called with; nothing is taken meanwhile
	told     bool          // Down was called before the first Up
	apart    bool          // see Partition
	hang     bool          // see Hang
	paused   bool          // see Pause
	drop     int           // see Drop
	queue    []busFrame    // what waits for Run
	returned chan struct{} // closed when a Hang ends
}

type busFrame struct {
	shard uint8
	data  []byte
}

var _ realtime.Bus = (*Bus)(nil)

// MaxFrame implements [realtime.Bus]: it returns [MaxBusFrame].
func (b *Bus) MaxFrame() int { return MaxBusFrame }

// Publish implements [realtime.Bus].
func (b *Bus) Publish(ctx context.Context, shard uint8, frame []byte) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("inmem: publish: %w", err)
	}
	if shard >= realtime.BusShards {
		return fmt.Errorf("inmem: publish: there is no shard %d", shard)
	}
	if len(frame) > MaxBusFrame {
		return fmt.Errorf("inmem: publish %d bytes: %w", len(frame), realtime.ErrTooLarge)
	}
	b.hub.mu.Lock()
	if b.running && b.hang {
		returned := b.returned
		b.hub.mu.Unlock()
		select {
		case <-ctx.Done():
			return fmt.Errorf("inmem: publish: %w", ctx.Err())
		case <-returned:
			return fmt.Errorf("inmem: publish: %w", ErrUnreachable)
		}
	}
	defer b.hub.mu.Unlock()
	switch {
	case !b.running:
		return fmt.Errorf("inmem: publish: %w", errStopped)
	case b.apart:
		return fmt.Errorf("inmem: publish: %w", ErrUnreachable)
	}
	b.hub.publishLocked(b.name, shard, frame)
	return nil
}

// takeLocked puts a frame into the node's queue. hub.mu must be held.
func (b *Bus) takeLocked(shard uint8, frame []byte) {
	switch {
	case !b.running || !b.up || b.down != nil:
	case b.drop > 0:
		b.drop--
	case len(b.queue) >= BusQueue:
		b.down = ErrOverflow
	default:
		b.queue = append(b.queue, busFrame{shard, append([]byte{}, frame...)})
	}
	b.signal()
}

func (b *Bus) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Run implements [realtime.Bus]. While another Run goes on it returns an error at once.
func (b *Bus) Run(ctx context.Context, name string, h realtime.BusHandler) error {
	b.hub.mu.Lock()
	if b.running {
		b.hub.mu.Unlock()
		return errors.New("inmem: the bus runs already")
	}
	b.running, b.name = true, name
	b.hub.mu.Unlock()
	defer b.end()
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("inmem: run: %w", err)
		}
		if call := b.next(); call != nil {
			call(h)
			continue
		}
		select {
		case <-ctx.Done():
		case <-b.wake:
		}
	}
}

// end drops the state of a Run.
func (b *Bus) end() {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.running, b.up, b.told, b.down, b.queue = false, false, false, nil, nil
}

// next takes what the handler is to be called with, or nil if there is nothing.
func (b *Bus) next() func(realtime.BusHandler) {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	unreachable := b.apart || b.hang
	switch {
	case b.paused:
		return nil
	case len(b.queue) > 0:
		frame := b.queue[0]
		b.queue = slices.Delete(b.queue, 0, 1)
		return func(h realtime.BusHandler) { h.Frame(frame.shard, frame.data) }
	case b.up && b.down != nil:
		err := b.down
		b.up, b.down, b.told = false, nil, true
		return func(h realtime.BusHandler) { h.Down(err) }
	case !b.up && !unreachable:
		b.up = true
		return func(h realtime.BusHandler) { h.Up() }
	case !b.up && !b.told:
		b.told = true
		return func(h realtime.BusHandler) { h.Down(ErrUnreachable) }
	}
	return nil
}
