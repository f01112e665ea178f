package chat

import "sync/atomic"

// Stats is what a [Service] has done since it was made. How sends fail is not in it: the callers know.
type Stats struct {
	Sent        int64 // messages stored by Send; those of SendTx are the host's to count
	Replayed    int64 // sends that were stored before
	Refused     int64 // drafts that [Options.BeforeSend] refused
	RateLimited int64 // writes above [Options.WriteRate]
	// HookFailures counts the hooks that panicked, failed or took too long. What a BeforeSend answers after its caller has
	// gone does not count.
	HookFailures int64
	// HooksDropped counts the messages that [Options.AfterSend] was not called for, because too many waited.
	HooksDropped int64
	// HooksQueued is how many messages wait for the call now.
	HooksQueued int
	// HooksHung is how many calls of hooks run now although their time is over.
	HooksHung int
}

type counters struct {
	sent, replayed, refused, rateLimited, hookFailures, hooksDropped atomic.Int64
}

// Stats returns the current figures.
func (s *Service) Stats() Stats {
	return Stats{
		Sent:         s.stats.sent.Load(),
		Replayed:     s.stats.replayed.Load(),
		Refused:      s.stats.refused.Load(),
		RateLimited:  s.stats.rateLimited.Load(),
		HookFailures: s.stats.hookFailures.Load(),
		HooksDropped: s.stats.hooksDropped.Load(),
		HooksQueued:  s.after.queued(),
		HooksHung:    int(s.asking.hung.Load() + s.after.calls.hung.Load()),
	}
}
