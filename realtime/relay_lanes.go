package realtime

import (
	"sync"
	"time"
)

// handedOff is an event on the fast way.
type handedOff struct {
	id    int64
	event Event
	at    time.Time
	probe bool // may go out although the breaker is open
}

func (h *handedOff) size() int { return len(h.event.Data) + len(h.event.Thin) }

// lane is the queue of one channel. At most one worker has it at a time, which keeps its order.
type lane struct {
	channel Channel
	items   []handedOff
}

// lanes is a bounded set of queues, one for each channel that has something to send.
type lanes struct {
	maxItems, maxBytes int

	mu     sync.Mutex // guards what is below
	byName map[Channel]*lane
	idle   []*lane // have items and no worker
	items  int
	bytes  int
	// closed lanes take no more, aborted ones also give no more out.
	closed, aborted bool
	left            []int64 // entries that were left while closed, until drained
	drained         bool
	changed         sync.Cond
}

func newLanes(maxItems, maxBytes int) *lanes {
	l := &lanes{maxItems: maxItems, maxBytes: maxBytes, byName: map[Channel]*lane{}}
	l.changed.L = &l.mu
	return l
}

// put appends the item to its channel's lane; false means that there is no room, or no more sending.
func (l *lanes) put(item handedOff) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.items >= l.maxItems || l.bytes+item.size() > l.maxBytes {
		return false
	}
	ln, ok := l.byName[item.event.Channel]
	if !ok {
		ln = &lane{channel: item.event.Channel}
		l.byName[item.event.Channel] = ln
		l.idle = append(l.idle, ln)
		l.changed.Signal()
	}
	ln.items = append(ln.items, item)
	l.items++
	l.bytes += item.size()
	return true
}

// wait blocks until there is an idle lane. It returns false when the work is over: the lanes are aborted, or closed and
// empty.
func (l *lanes) wait() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.aborted:
			return false
		case len(l.idle) > 0:
			return true
		case l.closed && len(l.byName) == 0:
			return false
		}
		l.changed.Wait()
	}
}

// ready reports whether there is an idle lane.
func (l *lanes) ready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.idle) > 0
}

// turn is a worker's possession of a lane, with what was in it.
type turn struct {
	lane  *lane
	items []handedOff
}

// take hands the caller one idle lane with everything that is in it, and further ones as long as they are together no more
// than want items. The caller must give them back with done.
func (l *lanes) take(want int) []turn {
	l.mu.Lock()
	defer l.mu.Unlock()
	var turns []turn
	for n := 0; len(l.idle) > 0 && (n == 0 || n+len(l.idle[0].items) <= want); {
		ln := l.idle[0]
		l.idle = l.idle[1:]
		turns = append(turns, turn{ln, ln.items})
		n += len(ln.items)
		ln.items = nil
	}
	return turns
}

// done ends the caller's turn; what was not sent goes back to the head of the lane.
func (l *lanes) done(t turn, rest []handedOff) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range len(t.items) - len(rest) {
		l.items--
		l.bytes -= t.items[i].size()
	}
	if t.lane.items = append(rest, t.lane.items...); len(t.lane.items) > 0 {
		l.idle = append(l.idle, t.lane)
		l.changed.Signal()
	} else if delete(l.byName, t.lane.channel); l.closed && len(l.byName) == 0 {
		l.changed.Broadcast()
	}
}

// close refuses new items; the workers finish what is there.
func (l *lanes) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.changed.Broadcast()
}

// abort also keeps back what is there.
func (l *lanes) abort() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed, l.aborted = true, true
	l.changed.Broadcast()
}

// leave notes that the entry was not sent. It matters only between close and drain: before, the entry waits for the end
// of its lease, which it would outlive the process with, and after, nobody gives it back.
func (l *lanes) leave(id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed && !l.drained && id != 0 {
		l.left = append(l.left, id)
	}
}

// drain empties the lanes and returns the entries that were in them or left since they were closed. No worker may have a
// lane.
func (l *lanes) drain() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	ids := l.left
	for _, ln := range l.byName {
		for _, item := range ln.items {
			if item.id != 0 {
				ids = append(ids, item.id)
			}
		}
	}
	clear(l.byName)
	l.idle, l.items, l.bytes, l.left, l.drained = nil, 0, 0, nil, true
	return ids
}

// isClosed reports whether the relay is stopping.
func (l *lanes) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// size returns what waits.
func (l *lanes) size() (items, bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.items, l.bytes
}
