package httpadapter

import (
	"context"
	"slices"
	"sync"

	"github.com/murph-chat/murph/consultation"
)

// The bounds of the writes of one consultation, and of one user.
const (
	maxWriting = 2  // that are in the store at once
	maxQueued  = 32 // that wait for those
)

// writeQueues lets the writes of one consultation, and of one user, wait outside the store. They wait for one another
// there in any case, for the lock on the consultation's row, and each of those would hold one of the database's
// connections.
type writeQueues struct {
	mu     sync.Mutex // guards what follows
	queues map[string]*writeQueue
}

// writeQueue is the writes of one consultation or one user.
type writeQueue struct {
	writing int
	waiting []chan struct{} // each is closed when its write may go on
}

// inQueue calls write when it is its turn among the writes of the user and of the consultation, "" for none.
func inQueue[R any](c *call, h *Handler, id consultation.ID, write func(ctx context.Context) (R, error)) (result R, err error) {
	ctx := c.r.Context()
	keys := []string{"user " + string(c.who.UserID)}
	if id != "" {
		keys = append(keys, "consultation "+string(id))
	}
	for _, key := range keys {
		if err := h.queues.enter(ctx, key); err != nil {
			return result, err
		}
		defer h.queues.leave(key)
	}
	return write(ctx)
}

// enter returns when one more write of the key may go on. It returns errCrowded when too many wait already, and the error
// of ctx when that ends first.
func (q *writeQueues) enter(ctx context.Context, key string) error {
	turn, err := q.line(key)
	if turn == nil {
		return err
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	if !q.giveUp(key, turn) { // its turn came at the same moment
		q.leave(key)
	}
	return ctx.Err()
}

// line counts a write in, and returns what it has to wait for, nil for nothing.
func (q *writeQueues) line(key string) (turn chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.queues[key]
	switch {
	case w == nil:
		if q.queues == nil {
			q.queues = make(map[string]*writeQueue)
		}
		q.queues[key] = &writeQueue{writing: 1}
	case w.writing < maxWriting:
		w.writing++
	case len(w.waiting) >= maxQueued:
		return nil, errCrowded
	default:
		turn = make(chan struct{})
		w.waiting = append(w.waiting, turn)
	}
	return turn, nil
}

// giveUp takes a write that waits out of the queue. It reports false if its turn has come.
func (q *writeQueues) giveUp(key string, turn chan struct{}) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.queues[key]
	if w == nil {
		return false
	}
	i := slices.Index(w.waiting, turn)
	if i >= 0 {
		w.waiting = slices.Delete(w.waiting, i, i+1)
	}
	return i >= 0
}

// leave ends a write and lets the next one go on.
func (q *writeQueues) leave(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.queues[key]
	if len(w.waiting) > 0 {
		close(w.waiting[0])
		w.waiting = slices.Delete(w.waiting, 0, 1)
		return
	}
	if w.writing--; w.writing == 0 {
		delete(q.queues, key)
	}
}
