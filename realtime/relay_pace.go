package realtime

import (
	"sync"
	"time"
)

// paceCut is the shortest time between two cuts: calls that were under way together are told off together.
const paceCut = time.Second

// pace bounds how many calls of the broadcaster are under way. A transport that says it is asked too often halves the
// bound; each success raises it again by a little (additive increase, multiplicative decrease, as in RFC 5681).
type pace struct {
	most float64

	mu      sync.Mutex // guards what is below
	limit   float64
	running int
	cut     time.Time
	changed sync.Cond
}

func newPace(most int) *pace {
	p := &pace{most: float64(most), limit: float64(most)}
	p.changed.L = &p.mu
	return p
}

// acquire waits for a place. The wait ends because every call does, by its timeout at the latest.
func (p *pace) acquire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.running >= int(p.limit) {
		p.changed.Wait()
	}
	p.running++
}

// release gives the place back and learns from the outcome.
func (p *pace) release(ok, limited bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
	switch now := time.Now(); {
	case limited && now.Sub(p.cut) >= paceCut:
		p.limit, p.cut = max(1, p.limit/2), now
	case ok:
		p.limit = min(p.most, p.limit+1/p.limit)
	}
	p.changed.Broadcast()
}
