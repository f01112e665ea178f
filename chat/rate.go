package chat

import (
	"errors"
	"math"
	"sync"
	"time"

	"github.com/murph-chat/murph/consultation"
)

// Rate is how often something may happen: PerSecond in the long run, and Burst at once. A PerSecond of zero or below
// means no limit; the slowest limit is once an hour. A Burst of 0 is one second's worth, at least 1; the largest is
// 10,000. It is not the Rate of package ws, whose zero means a default and only a negative PerSecond no limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

// The bounds of a [Rate].
const (
	slowestRate  = 1.0 / 3600
	largestBurst = 10_000
)

// maxLimited is how many people one generation of a limiter knows.
const maxLimited = 50_000

func (r Rate) validate() error {
	if !(r.PerSecond <= 0 || r.PerSecond >= slowestRate) || r.Burst > largestBurst {
		return errors.New("Options.SendRate is slower than once an hour, or its Burst larger than 10,000")
	}
	return nil
}

// limiter is a token bucket for each person, in the virtual scheduling form: what is kept is the time at which the
// bucket will be full again. It knows at most twice maxLimited people. With more of them, those who have not sent for
// longest are forgotten, which gives them a full bucket.
type limiter struct {
	every time.Duration // for one token
	slack time.Duration // the tokens of a full bucket but one
	start time.Time     // times are counted from here, which a clock that is set does not disturb
	most  int           // of one generation

	mu         sync.Mutex // guards what follows
	young, old map[consultation.UserID]time.Duration
}

// newLimiter returns nil for a rate that is no limit.
func newLimiter(r Rate) *limiter {
	if r.PerSecond <= 0 {
		return nil
	}
	if r.Burst <= 0 {
		r.Burst = max(1, int(math.Ceil(min(r.PerSecond, largestBurst))))
	}
	every := time.Duration(float64(time.Second) / r.PerSecond)
	return &limiter{
		every: every, slack: every * time.Duration(r.Burst-1), start: time.Now(), most: maxLimited,
		young: make(map[consultation.UserID]time.Duration),
	}
}

// take returns how long the person has to wait, 0 if they may send now, which is then counted.
func (l *limiter) take(user consultation.UserID) time.Duration {
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
	l.keep(user, full) // in any case: somebody who insists is not forgotten
	return wait
}

// giveBack returns what the last take has counted.
func (l *limiter) giveBack(user consultation.UserID) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if full, known := l.young[user]; known {
		l.keep(user, full-l.every)
	}
}

// keep stores when the bucket will be full. l.mu is held.
func (l *limiter) keep(user consultation.UserID, full time.Duration) {
	if _, known := l.young[user]; !known && len(l.young) >= l.most {
		l.old, l.young = l.young, make(map[consultation.UserID]time.Duration)
	}
	l.young[user] = full
}
