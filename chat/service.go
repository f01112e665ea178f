package chat

import (
	"context"
	"errors"
	"fmt"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// Broadcaster carries the events to the subscribers. With a [realtime.OutboxBroadcaster] they survive a crash and a
// transport that is down; the package comment says what holds without one.
type Broadcaster interface {
	Broadcast(ctx context.Context, ev realtime.Event) error
}

// Service is the use cases around messages. Each of its methods calls exactly one method of the storage, but for
// OpenRequests, and for sends and edits with [Options.BeforeSend], which ask the storage first whether the user belongs
// there. It is safe for concurrent use.
type Service struct {
	store  Storage
	events *realtime.Publisher
	opts   Options
	rate   *realtime.Limiter // nil without a limit
	stored *repeats          // likewise
	asking *hookCalls        // of BeforeSend
	after  *afterSend
	stats  *counters
}

// NewService makes a Service. store and bc are required; opts may be nil.
func NewService(store Storage, bc Broadcaster, opts *Options) (*Service, error) {
	if store == nil || bc == nil {
		return nil, errors.New("chat: a service needs a storage and a broadcaster")
	}
	o := opts.withDefaults()
	rate, err := realtime.NewLimiter(o.WriteRate, defaultWriteRate)
	if err != nil {
		return nil, fmt.Errorf("chat: Options.WriteRate: %w", err)
	}
	events, err := realtime.NewPublisher(bc, &o.Publisher)
	if err != nil {
		return nil, fmt.Errorf("chat: %w", err)
	}
	stats := &counters{}
	s := &Service{
		store: store, events: events, opts: o, rate: rate, stats: stats,
		asking: newHookCalls(maxBeforeSend),
		after: &afterSend{
			hook: o.AfterSend, timeout: o.HookTimeout, log: o.Logger, stats: stats,
			calls: newHookCalls(parallelAfterSend + maxHungAfterSend),
		},
	}
	if s.rate != nil {
		s.stored = newRepeats(maxRepeats)
	}
	return s, nil
}

// MaxReads returns how many reads at once leave connections of the storage's pool to writes, 0 if the storage does not
// know. A storage that knows has a method MaxReads() int.
func (s *Service) MaxReads() int {
	if pooled, ok := s.store.(interface{ MaxReads() int }); ok {
		return pooled.MaxReads()
	}
	return 0
}

// limit counts a write of the user, or returns a [*RateLimitError].
func (s *Service) limit(user consultation.UserID) error {
	if wait := s.rate.Take(string(user)); wait > 0 {
		s.stats.rateLimited.Add(1)
		return &RateLimitError{RetryAfter: wait}
	}
	return nil
}

func checkMessageID(id MessageID) error {
	if _, err := consultation.ParseID(string(id)); err != nil {
		return &consultation.InvalidError{Field: "id", Reason: "must be the id of a message"}
	}
	return nil
}

// checkIDs checks the two ids that nearly every call carries.
func checkIDs(id consultation.ID, user consultation.UserID) error {
	if _, err := consultation.ParseID(string(id)); err != nil {
		return err
	}
	_, err := consultation.ParseUserID(string(user))
	return err
}

func checkLimit(limit int) (int, error) {
	switch {
	case limit == 0:
		return DefaultPageSize, nil
	case limit < 0 || limit > MaxPageSize:
		return 0, &consultation.InvalidError{Field: "limit", Reason: fmt.Sprintf("must be 1 to %d", MaxPageSize)}
	}
	return limit, nil
}
