package pgbus

import (
	"errors"
	"sync"
)

// errSlow is what Down reports when the inbox was full.
var errSlow = errors.New("payloads were lost because the handler is too slow")

// inbox is what has come and waits for the handler. It takes whatever comes at once, so that PostgreSQL never waits.
type inbox struct {
	wake chan struct{} // has room for one signal: there is something to do

	mu       sync.Mutex // guards what follows
	payloads []string
	size     int // of all payloads, in bytes
	limit    int
	open     bool // payloads are taken
	lost     bool // there was no room for one; nothing is taken until the handler has been told
}

// put takes a payload, or notes that there is no room for it.
func (i *inbox) put(payload string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case !i.open || i.lost:
		return
	case i.size+len(payload) > i.limit:
		i.lost = true
	default:
		i.payloads = append(i.payloads, payload)
		i.size += len(payload)
	}
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// take removes what waits. lost says that something is missing after it; from now on payloads are taken again.
func (i *inbox) take() (payloads []string, lost bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	payloads, lost = i.payloads, i.lost
	i.payloads, i.size, i.lost = nil, 0, false
	return payloads, lost
}

// start lets payloads in.
func (i *inbox) start() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.open = true
}
