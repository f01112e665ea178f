package httpadapter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Checker is a part that can say whether it works: the stores, [*realtime.Relay] and the transports do. An error whose
// chain has a method Degraded() bool that returns true says that it works, but not as it should.
type Checker interface {
	Check(ctx context.Context) error
}

// CheckerFunc makes a Checker out of a function.
type CheckerFunc func(ctx context.Context) error

// Check calls f.
func (f CheckerFunc) Check(ctx context.Context) error { return f(ctx) }

// Part is a part of the application as [Health] sees it.
type Part struct {
	// Name stands in the answer, for everybody to read.
	Name string
	Checker
	// Vital says that nothing works without the part, as with the store: without it the answer is 503. Without another
	// part it is 200, "degraded": no message is lost without a transport, they only come later.
	Vital bool
}

// HealthOptions changes how a [Health] works. The zero value is ready to use.
type HealthOptions struct {
	// Timeout bounds the check of one part; after it the part counts as down. Defaults to 2 seconds.
	Timeout time.Duration
	// MaxAge is how long an answer is given again before the parts are asked anew, however many ask. Defaults to 5 seconds.
	MaxAge time.Duration
	// Logger gets every change of a part, with its error. Defaults to slog.Default().
	Logger *slog.Logger
}

// Health answers whether the application works, for load balancers and orchestrators: 200 with the status "ok" or
// "degraded", 503 with "down" or "draining". The body is like
//
//	{"status": "degraded", "parts": {"store": "ok", "relay": "down"}}
//
// and holds no errors; those are logged. It asks the parts at most once in MaxAge and each part at most once at a time, so
// it needs no protection against being called often. It is safe for concurrent use.
type Health struct {
	parts []Part
	opts  HealthOptions

	mu       sync.Mutex // guards what follows
	draining bool
	states   []state       // of the parts
	busy     []bool        // the part has not answered its last check
	at       time.Time     // of the last round; zero before the first
	round    chan struct{} // closed at the end of the round that is going on; nil between rounds
}

var _ http.Handler = (*Health)(nil)

// state is how a part is.
type state string

const (
	stateOK       state = "ok"
	stateDegraded state = "degraded"
	stateDown     state = "down"
	stateDraining state = "draining" // of the whole only
)

// NewHealth makes a Health of at least one part; opts may be nil. Nothing is checked before the first request.
func NewHealth(parts []Part, opts *HealthOptions) (*Health, error) {
	if len(parts) == 0 {
		return nil, errors.New("httpadapter: health needs parts")
	}
	names := map[string]bool{}
	for _, p := range parts {
		if p.Name == "" || p.Checker == nil || names[p.Name] {
			return nil, fmt.Errorf("httpadapter: the part %q of health has no name, no checker, or the name of another", p.Name)
		}
		names[p.Name] = true
	}
	var o HealthOptions
	if opts != nil {
		o = *opts
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Second
	}
	if o.MaxAge <= 0 {
		o.MaxAge = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	h := &Health{parts: parts, opts: o, states: make([]state, len(parts)), busy: make([]bool, len(parts))}
	for i := range h.states {
		h.states[i] = stateOK // only a change is logged
	}
	return h, nil
}

// Drain makes every further answer 503, "draining", so that no more requests are sent to a process that is about to stop.
func (h *Health) Drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.draining = true
}

// ServeHTTP answers GET and HEAD.
func (h *Health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if round := h.refresh(r.Context()); round != nil {
		select {
		case <-round:
		case <-r.Context().Done():
			return // nobody is left to answer
		}
	}
	body := h.answer()
	status := http.StatusOK
	if body.Status == stateDown || body.Status == stateDraining {
		status = http.StatusServiceUnavailable
	}
	encoded, _ := json.Marshal(body) // strings encode
	write(w, status, typeJSON, encoded)
}

type healthAnswer struct {
	Status state            `json:"status"`
	Parts  map[string]state `json:"parts"`
}

// answer sums the last round up.
func (h *Health) answer() healthAnswer {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := healthAnswer{Status: stateOK, Parts: make(map[string]state, len(h.parts))}
	for i, s := range h.states {
		out.Parts[h.parts[i].Name] = s
		switch {
		case s == stateDown && h.parts[i].Vital:
			out.Status = stateDown
		case s != stateOK && out.Status == stateOK:
			out.Status = stateDegraded
		}
	}
	if h.draining {
		out.Status = stateDraining
	}
	return out
}
