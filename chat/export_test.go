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
