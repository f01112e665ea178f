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

// servedCalls remembers the signatures of calls for as long as their timestamps
// are accepted. When there are too many it closes the second that is farthest
// from now: no call of a closed second is served. Under a flood the window gets
// narrower, from both ends, but no call is ever served twice.
type servedCalls struct {
	max int

	mu      sync.Mutex                      // guards what follows
	seconds map[int64]map[[16]byte]struct{} // by the calls' own timestamps; nil is a closed one
	total   int
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
	key := callKey(signature)
	c.mu.Lock()
	defer c.mu.Unlock()
	keys, known := c.seconds[second]
	if !known {
		c.expire(now.Unix() - int64(pusherproto.MaxClockSkew/time.Second))
		keys = make(map[[16]byte]struct{})
		c.seconds[second] = keys
	} else if _, served := keys[key]; served || keys == nil {
		return false
	}
	keys[key] = struct{}{}
	for c.total++; c.total > c.max; {
		c.closeFarthest(now.Unix())
	}
	return true
}

// forget undoes first for a call that was not served after all.
func (c *servedCalls) forget(signature, timestamp string) {
	second, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return
	}
	key := callKey(signature)
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, served := c.seconds[second][key]; served {
		delete(c.seconds[second], key)
		c.total--
	}
}

func callKey(signature string) [16]byte {
	sum := sha256.Sum256([]byte(signature))
	return [16]byte(sum[:16])
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

// closeFarthest forgets the calls of one second. A publisher whose clock is wrong shuts itself out first.
func (c *servedCalls) closeFarthest(now int64) {
	farthest, distance := now, int64(-1)
	for second, keys := range c.seconds {
		if d := max(second-now, now-second); keys != nil && (d > distance || d == distance && second < farthest) {
			farthest, distance = second, d
		}
	}
	c.total -= len(c.seconds[farthest])
	c.seconds[farthest] = nil
}
