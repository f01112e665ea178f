package realtime

import (
	"errors"
	"math"
	"sync"
	"time"
)

// Rate limits how often one user may do something: PerSecond in the long run, and Burst at once. In options a PerSecond
// of 0 means the default of the option, and a negative one no limit; the slowest limit is once an hour. A Burst of 0
// means the default too if PerSecond is 0, otherwise one second's worth, at least 1; the largest is 10,000.
type Rate struct {
	PerSecond float64
	Burst     int
}

// The bounds of a [Rate].
const (
	slowestRate  = 1.0 / 3600
	largestBurst = 10_000
)

// maxLimited is the number of users that one generation of a Limiter knows.
const maxLimited = 50_000

func (r Rate) withDefault(d Rate) Rate {
	switch {
	case r.PerSecond != 0 && r.Burst == 0:
		r.Burst = max(1, int(math.Ceil(min(r.PerSecond, largestBurst))))
	case r.Burst == 0:
		r.Burst = d.Burst
	}
	if r.PerSecond == 0 {
		r.PerSecond = d.PerSecond
	}
	return r
}

// Limiter keeps a [Rate] for each user, in this process. It is a token bucket in the virtual scheduling form: the state
// of a user is the time at which their bucket will be full again. A Limiter knows at most 100,000 users; when there are
// more, it forgets those who have been idle for longest, which gives them a full bucket. A nil Limiter limits nothing. It
// is safe for concurrent use.
type Limiter struct {
	every time.Duration // for one token
	slack time.Duration // the tokens of a full bucket but one
	start time.Time     // times count from here, so that setting the clock changes nothing
	most  int           // of one generation

	mu         sync.Mutex // guards what follows
	young, old map[string]time.Duration
}

// NewLimiter returns a Limiter for r, with the parts of d in place of those that r leaves out; nil for a negative
// PerSecond. It returns an error for a rate out of bounds.
func NewLimiter(r, d Rate) (*Limiter, error) {
	r = r.withDefault(d)
	switch {
	case r.PerSecond < 0:
		return nil, nil
	case !(r.PerSecond >= slowestRate) || r.Burst < 0 || r.Burst > largestBurst:
		return nil, errors.New("realtime: a rate must be at least once an hour, its burst 0 to 10,000")
	}
	every := time.Duration(float64(time.Second) / r.PerSecond)
	return &Limiter{
		every: every, slack: every * time.Duration(r.Burst-1), start: time.Now(), most: maxLimited,
		young: make(map[string]time.Duration),
	}, nil
}

// Take counts one action of the user and returns 0, or returns how long the user has to wait and counts nothing.
func (l *Limiter) Take(user string) time.Duration {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Since(l.start)
	full, known := l.young[user]
	if !known {
		full = l.old[user]
	}
	full = max(full, now)
	wait := full - now - l.slack
	if wait <= 0 {
		wait, full = 0, full+l.every
	}
	l.keepLocked(user, full) // also without a token: a user who insists is not forgotten
	return wait
}

// GiveBack takes back what the last Take of the user has counted.
func (l *Limiter) GiveBack(user string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if full, known := l.young[user]; known {
		l.keepLocked(user, full-l.every)
	}
}

// keepLocked stores when the user's bucket will be full. l.mu must be held.
func (l *Limiter) keepLocked(user string, full time.Duration) {
	if _, known := l.young[user]; !known && len(l.young) >= l.most {
		l.old, l.young = l.young, make(map[string]time.Duration)
	}
	l.young[user] = full
}
