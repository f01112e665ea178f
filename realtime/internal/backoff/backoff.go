// Package backoff says how long the buses wait before they try to connect again.
package backoff

import (
	"math/rand/v2"
	"time"
)

// Wait returns how long to wait after so many tries that have failed: lowest, doubled from try to try up to highest, and
// half of it random, so that the nodes of a cluster do not come back at the same moment.
func Wait(lowest, highest time.Duration, failed int) time.Duration {
	d := highest
	if failed < 30 { // a shift by more could overflow
		d = min(d, lowest<<failed)
	}
	return d/2 + rand.N(d/2+1)
}
