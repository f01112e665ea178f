package chat

import "github.com/murph-chat/murph/consultation"

// Limiter is the limiter of a [Rate], with room for few people.
type Limiter struct{ l *limiter }

func NewLimiter(r Rate, most int) Limiter {
	l := newLimiter(r)
	l.most = most
	return Limiter{l}
}

func (l Limiter) Take(user consultation.UserID) int64 { return int64(l.l.take(user)) }

func (l Limiter) Known() int { return len(l.l.young) + len(l.l.old) }

// Repeats is the memory of stored keys.
type Repeats struct{ *repeats }

// NewRepeats makes one that knows so many keys in a generation.
func NewRepeats(most int) Repeats { return Repeats{newRepeats(most)} }

// Add remembers a key.
func (r Repeats) Add(p AppendParams) { r.add(p) }

// Has looks a key up.
func (r Repeats) Has(p AppendParams) bool { return r.has(p) }

// Known is how many keys are remembered.
func (r Repeats) Known() int { return len(r.young) + len(r.old) }
