package httpadapter

import (
	"maps"
	"sync"
)

// Stats is what a [Handler] has answered since it was made. Durations and statuses are for the host's middleware to
// measure; what that does not see is why a request was refused.
type Stats struct {
	// Requests counts all requests, also those for the socket.
	Requests uint64
	// Refusals counts the answers that were no success, by their code.
	Refusals map[Code]uint64
}

// tally counts the answers.
type tally struct {
	mu       sync.Mutex // guards what follows
	requests uint64
	refusals map[Code]uint64
}

func (t *tally) request() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests++
}

func (t *tally) refusal(code Code) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.refusals == nil {
		t.refusals = make(map[Code]uint64)
	}
	t.refusals[code]++
}

// Stats returns the current figures.
func (h *Handler) Stats() Stats {
	h.tally.mu.Lock()
	defer h.tally.mu.Unlock()
	return Stats{Requests: h.tally.requests, Refusals: maps.Clone(h.tally.refusals)}
}
