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
	breakerAsked     = time.Hour       // the longest wait that a transport can ask for
)

// breaker keeps the relay from working against a transport that is down. While
// it is closed, all calls of the broadcaster may begin. When it opens, one call
// at a time may, as a probe, until some probes have succeeded. The results of
// calls that began before it opened change nothing but the wait that the
// transport asks for, which they can only prolong.
type breaker struct {
	callTime time.Duration // the longest time that a call takes

	mu       sync.Mutex // guards what is below
	open     bool
	epoch    int       // counts the times that it opened
	failures int       // in a row
	wins     int       // in a row while open
	refusals int       // in a row
	until    time.Time // no probe begins before it; it only moves later
	probeAt  time.Time // when the next probe is due, while open
	idle     bool      // while open: a probe was due, and there was nothing to send
}

func newBreaker(callTime time.Duration) *breaker { return &breaker{callTime: callTime} }

func (b *breaker) closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.open
}

// admit returns how many entries may be claimed now: all, one as a probe, or none.
func (b *breaker) admit(all int) (n int, probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	switch {
	case !b.open:
		return all, false
	case now.Before(b.nextLocked()):
		return 0, false
	}
	// Until this probe has an outcome there is no other.
	b.probeAt = now.Add(breakerProbe)
	return 1, true
}

// nextLocked returns when the next probe may begin.
func (b *breaker) nextLocked() time.Time {
	if b.until.After(b.probeAt) {
		return b.until
	}
	return b.probeAt
}

// empty tells that nothing was due. No further probe comes from the outbox for now, so one that has succeeded closes the
// breaker, and without one the next hand-off becomes the probe: quiet times must not keep a transport taken for down.
func (b *breaker) empty() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wins > 0 {
		b.closeLocked()
	}
	b.idle = b.open
}

// closeLocked closes the breaker, unless the transport has asked for a wait that
// is not over.
func (b *breaker) closeLocked() {
	if !time.Now().Before(b.until) {
		b.open = false
	}
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
	return max(time.Until(b.nextLocked()), time.Millisecond)
}

// begin reports whether a call may begin. Its result is to be told along with
// the epoch.
func (b *breaker) begin(probe bool) (epoch int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return b.epoch, true
	}
	now := time.Now()
	if !probe || now.Before(b.until) {
		return 0, false
	}
	b.probeAt = now.Add(b.callTime)
	return b.epoch, true
}

func (b *breaker) succeeded(epoch int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if epoch != b.epoch {
		return
	}
	b.failures, b.refusals = 0, 0
	if !b.open {
		return
	}
	b.probeAt, b.idle = time.Now(), false
	if b.wins++; b.wins >= breakerSuccesses {
		b.closeLocked()
	}
}

func (b *breaker) failed(epoch int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if epoch != b.epoch {
		return
	}
	if b.failures++; b.failures >= breakerFailures || b.open {
		b.openLocked()
		b.probeAt = time.Now().Add(rand.N(breakerProbe))
	}
}

// openLocked opens the breaker, or notes that a probe has failed.
func (b *breaker) openLocked() {
	if !b.open {
		b.open = true
		b.epoch++
	}
	b.wins, b.idle = 0, false
}

// refuse opens the breaker at once, for the time that the transport asks for, or one that grows.
func (b *breaker) refuse(epoch int, asked time.Duration) {
	b.hold(epoch, asked, breakerRefused, breakerLongest)
}

// limited opens the breaker for as long as a transport that is asked too often wants to be left alone.
func (b *breaker) limited(epoch int, asked time.Duration) {
	b.hold(epoch, asked, breakerLimited, breakerLimitedTo)
}

func (b *breaker) hold(epoch int, asked, first, longest time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	wait := min(asked, breakerAsked)
	switch {
	case epoch == b.epoch && !now.Before(b.until):
		b.openLocked()
		if wait <= 0 {
			wait = min(first<<min(b.refusals, 6), longest)
		}
		b.refusals++
	case !b.open:
		return // it has recovered since the call began
	}
	if at := now.Add(wait); at.After(b.until) {
		b.until = at
	}
}
