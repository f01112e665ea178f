package ws

import (
	"crypto/sha256"
	"strconv"
	"sync"
	"time"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// maxServedCalls bounds the memory for calls that were served, about 5 MB.
const maxServedCalls = 100_000

// servedCalls remembers the signatures of calls for as long as their timestamps are good. When there are too many it
// forgets the oldest, and from then on refuses every call that is as old as what was forgotten: under a flood the
// window gets narrower, but no call is ever served twice.
type servedCalls struct {
	max int

	mu      sync.Mutex                      // guards what follows
	seconds map[int64]map[[16]byte]struct{} // by the calls' own timestamps
	total   int
	floor   int64 // no call with this timestamp or an older one is served
}

func newServedCalls(limit int) *servedCalls {
	return &servedCalls{max: limit, seconds: make(map[int64]map[[16]byte]struct{})}
}

// first reports whether a verified call is served for the first time. A signature has one spelling only, because it
// is compared as text, so its text tells the calls apart.
func (c *servedCalls) first(signature, timestamp string, now time.Time) bool {
	second, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return false
	}
	sum := sha256.Sum256([]byte(signature))
	key := [16]byte(sum[:16])

	c.mu.Lock()
	defer c.mu.Unlock()
	if second <= c.floor {
		return false
	}
	if _, served := c.seconds[second][key]; served {
		return false
	}
	if c.seconds[second] == nil {
		c.expire(now.Unix() - int64(pusherproto.MaxClockSkew/time.Second))
		c.seconds[second] = make(map[[16]byte]struct{})
	}
	c.seconds[second][key] = struct{}{}
	for c.total++; c.total > c.max; {
		c.forgetOldest()
	}
	return true
}

// expire drops what is older than the verification lets pass.
func (c *servedCalls) expire(oldest int64) {
	for second, keys := range c.seconds {
		if second < oldest {
			c.total -= len(keys)
			delete(c.seconds, second)
		}
	}
}

func (c *servedCalls) forgetOldest() {
	oldest, found := int64(0), false
	for second := range c.seconds {
		if !found || second < oldest {
			oldest, found = second, true
		}
	}
	c.total -= len(c.seconds[oldest])
	delete(c.seconds, oldest)
	c.floor = max(c.floor, oldest)
}
