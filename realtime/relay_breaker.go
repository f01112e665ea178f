package realtime

import (
	"math/rand/v2"
	"sync"
	"time"
)

// The thresholds of the breaker.
const (
	breakerFailures  = 5               // failures in a row that open it
	breakerSuccesses = 3               // probes in a row that close it; one is enough when nothing else is due
	breakerProbe     = 2 * time.Second // between probes after failures, with full jitter
	breakerRefused   = time.Minute     // before the probe after a refusal, doubled each time
	breakerLongest   = 5 * time.Minute // and at most this
	breakerLimited   = time.Second     // before the probe after a rate limit that names no time, doubled each time
	breakerLimitedTo = time.Minute     // and at most this
)

// breaker keeps the relay from working against a transport that is down. It is closed in good times; when it opens, one
// entry at a time is tried at intervals, until some have succeeded.
type breaker struct {
	mu       sync.Mutex // guards what is below
	open     bool
	failures int       // in a row
	wins     int       // in a row while open
	refusals int       // in a row
	probeAt  time.Time // while open
	idle     bool      // while open: a probe was due, and nothing there to send
}

func newBreaker() *breaker { return &breaker{} }

func (b *breaker) closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.open
}

// admit returns how many entries may be claimed now: all, one as a probe, or none.
func (b *breaker) admit(all int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.open:
		return all
	case time.Now().Before(b.probeAt):
		return 0
	}
	// Until this probe has an outcome there is no other.
	b.probeAt = time.Now().Add(breakerProbe)
	return 1
}

// empty tells that nothing was due. No further probe comes from the outbox for now, so one that has succeeded closes the
// breaker, and without one the next hand-off becomes the probe: quiet times must not keep a transport taken for down.
func (b *breaker) empty() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open && b.wins > 0 {
		b.open = false
	}
	b.idle = b.open
}

// admitHandOff reports whether a hand-off may be sent, and whether as the probe that the outbox has nothing for.
func (b *breaker) admitHandOff() (ok, probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ok, probe = !b.open || b.idle, b.idle
	b.idle = false
	return ok, probe
}

// pause returns how long to wait before the next claim, at most d unless nothing may be sent before.
func (b *breaker) pause(d time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return d
	}
	return max(time.Until(b.probeAt), time.Millisecond)
}

func (b *breaker) succeeded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures, b.refusals = 0, 0
	if !b.open {
		return
	}
	b.probeAt, b.idle = time.Now(), false
	if b.wins++; b.wins >= breakerSuccesses {
		b.open = false
	}
}

func (b *breaker) failed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wins, b.idle = 0, false
	if b.failures++; b.failures >= breakerFailures || b.open {
		b.open = true
		b.probeAt = time.Now().Add(rand.N(breakerProbe))
	}
}

// refuse opens the breaker at once, for the time that the transport asks for, or one that grows.
func (b *breaker) refuse(wait time.Duration) { b.hold(wait, breakerRefused, breakerLongest) }

// limited opens the breaker for as long as a transport that is asked too often wants to be left alone.
func (b *breaker) limited(wait time.Duration) { b.hold(wait, breakerLimited, breakerLimitedTo) }

func (b *breaker) hold(wait, first, longest time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if wait <= 0 {
		wait = min(first<<min(b.refusals, 6), longest)
	}
	b.open, b.wins, b.idle = true, 0, false
	b.refusals++
	b.probeAt = time.Now().Add(wait)
}
