package consultation

import "sync/atomic"

// Stats is what a [Service] has done since it was made, without what [Service.TransitionTx] was part of: whether that was
// committed only the host knows. What was refused for another reason than
// the rate is not in it: the callers know.
type Stats struct {
	Requested  int64 // consultations stored by Request
	Accepted   int64 // that were begun
	Completed  int64 // that were ended
	Cancelled  int64 // that were called off
	Reassigned int64 // that were given to another student, or to the same one with other details
	// RateLimited counts requests above [Options.RequestRate] and transitions above [Options.WriteRate].
	RateLimited int64
}

type counters struct {
	requested, accepted, completed, cancelled, reassigned, rateLimited atomic.Int64
}

// changed counts a change that was stored.
func (c *counters) changed(ch Change) {
	switch ch.To {
	case StatusInProgress:
		c.accepted.Add(1)
	case StatusCompleted:
		c.completed.Add(1)
	case StatusCancelled:
		c.cancelled.Add(1)
	default:
		if ch.Student != nil {
			c.reassigned.Add(1)
		}
	}
}

// Stats returns the current figures.
func (s *Service) Stats() Stats {
	return Stats{
		Requested:  s.stats.requested.Load(),
		Accepted:   s.stats.accepted.Load(),
		Completed:  s.stats.completed.Load(),
		Cancelled:  s.stats.cancelled.Load(),
		Reassigned: s.stats.reassigned.Load(),

		RateLimited: s.stats.rateLimited.Load(),
	}
}
