package ws

import (
	"math"
	"time"
)

// Rate is how often something may happen: PerSecond in the long run, and Burst at once. A PerSecond of 0 means the
// default, a negative one no limit. A Burst of 0 means the default too if PerSecond is 0, otherwise one second's worth, at
// least 1.
type Rate struct {
	PerSecond float64
	Burst     int
}

func (r Rate) withDefault(def Rate) Rate {
	if r.PerSecond == 0 {
		r.PerSecond = def.PerSecond
		if r.Burst == 0 {
			r.Burst = def.Burst
		}
	}
	if r.Burst <= 0 {
		r.Burst = max(1, int(math.Ceil(r.PerSecond)))
	}
	return r
}

// pace keeps a Rate. It is the virtual scheduling form of a token bucket, which needs one number: the time at which the
// bucket will be full again. It is not safe for concurrent use.
type pace struct{ full int64 } // in ticks

// take reports how long to wait until one more may happen, 0 if it may now, which is then counted.
func (p *pace) take(r Rate, now time.Time) time.Duration {
	if r.PerSecond <= 0 {
		return 0
	}
	every, t := int64(float64(time.Second)/r.PerSecond), ticks(now)
	at := max(p.full, t)
	if wait := at - t - every*int64(r.Burst-1); wait > 0 {
		return time.Duration(wait)
	}
	p.full = at + every
	return 0
}

// idle reports whether the bucket is full.
func (p *pace) idle(now time.Time) bool { return p.full <= ticks(now) }

// tickBase is any time, and baseTicks what it is as ticks: so much that zero ticks are the past, whatever the clock says.
var tickBase = time.Now()

const baseTicks = 1 << 62

// ticks is a time as nanoseconds, which fit into a word and, unlike Unix time, do not jump when somebody sets the clock.
func ticks(t time.Time) int64 { return baseTicks + int64(t.Sub(tickBase)) }

// paces are those of one connection.
type paces struct{ messages, pings, subscribes, events pace }
