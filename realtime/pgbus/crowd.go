package pgbus

import (
	"sync"
	"time"
)

const (
	crowdWindow = time.Second
	crowdBusy   = 10 // notifications in a window that make a node a busy one
	crowdMost   = 9  // busy nodes that count
)

// crowd counts the nodes that notify much. Each commit of a NOTIFY is a cost for the whole server, so nodes that are
// busy at the same time notify less often, each with more in it, and all of them together about as often as one alone.
// It is safe for concurrent use.
type crowd struct {
	mu    sync.Mutex // guards what follows
	since time.Time  // when the window began
	seen  map[uint32]int
	busy  int // in the window before
}

// note counts one notification, by the process of the server that it came from.
func (c *crowd) note(pid uint32, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(now)
	if len(c.seen) < 1024 { // anybody can notify
		c.seen[pid]++
	}
}

// size returns how many nodes were busy lately, at most 9.
func (c *crowd) size(now time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(now)
	return c.busy
}

// turn begins a new window when it is time. c.mu is held.
func (c *crowd) turn(now time.Time) {
	if now.Sub(c.since) < crowdWindow && c.seen != nil {
		return
	}
	busy := 0
	for _, n := range c.seen {
		if n >= crowdBusy {
			busy++
		}
	}
	if now.Sub(c.since) >= 2*crowdWindow { // the window is not the one before
		busy = 0
	}
	c.busy, c.since, c.seen = min(busy, crowdMost), now, map[uint32]int{}
}
