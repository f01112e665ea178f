package pgbus

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/murph-chat/murph/realtime"
)

const (
	maxQueue = 256 // packs that wait for a statement
	maxBatch = 64  // packs in one statement
)

// ErrNotConnected is what Publish returns while the bus does not run or cannot reach PostgreSQL.
var ErrNotConnected = errors.New("pgbus: there is no connection to PostgreSQL")

// outbox is what waits to be notified.
type outbox struct {
	wake chan struct{} // has room for one signal: there is something to send

	mu    sync.Mutex // guards what follows; never held while calling out
	open  bool       // Run takes what is put in
	packs [][]byte
	room  chan struct{} // closed when somebody who waits for room should look again; nil if nobody does
}

// Publish implements [realtime.Bus]. It returns when the frame is in the queue. Its errors are [ErrNotConnected], or as
// the interface says.
func (b *Bus) Publish(ctx context.Context, shard uint8, frame []byte) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("pgbus: publish: %w", err)
	}
	if shard >= realtime.BusShards {
		return fmt.Errorf("pgbus: publish: there is no shard %d", shard)
	}
	if len(frame) > MaxFrame {
		return fmt.Errorf("pgbus: publish %d bytes of at most %d: %w", len(frame), MaxFrame, realtime.ErrTooLarge)
	}
	for {
		room, err := b.out.put(shard, frame)
		if err != nil {
			return fmt.Errorf("pgbus: publish: %w", err)
		}
		if room == nil {
			return nil
		}
		select {
		case <-room:
		case <-ctx.Done():
			return fmt.Errorf("pgbus: publish: %w", ctx.Err())
		}
	}
}

// put adds the frame to the last pack, or begins another one. When there are too many it returns a channel to wait for.
func (o *outbox) put(shard uint8, frame []byte) (room <-chan struct{}, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.open {
		return nil, ErrNotConnected
	}
	last := len(o.packs) - 1
	switch {
	case last >= 0 && len(o.packs[last])+separator+len(frame) <= maxPack:
		o.packs[last] = pack(o.packs[last], shard, frame)
	case len(o.packs) < maxQueue:
		o.packs = append(o.packs, pack(nil, shard, frame))
	default:
		if o.room == nil {
			o.room = make(chan struct{})
		}
		return o.room, nil
	}
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return nil, nil
}

// take removes what fits into a statement.
func (o *outbox) take() [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(len(o.packs), maxBatch)
	packs := o.packs[:n:n]
	o.packs = append([][]byte(nil), o.packs[n:]...)
	if len(o.packs) > 0 {
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
	o.notify()
	return packs
}

// set opens or closes the outbox. What waits is dropped.
func (o *outbox) set(open bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open, o.packs = open, nil
	o.notify()
}

// notify wakes those who wait for room. o.mu is held.
func (o *outbox) notify() {
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
}
