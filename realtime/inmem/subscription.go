package inmem

import (
	"context"
	"slices"

	"github.com/murph-chat/murph/realtime"
)

// Subscription is one connection's interest in one channel. Its methods are safe for concurrent use.
type Subscription struct {
	b        *Broadcaster
	channel  realtime.Channel
	socket   realtime.SocketID
	received journal // guarded by b.mu
}

// Events returns what has been received so far, in order.
func (s *Subscription) Events() []realtime.Event {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	return slices.Clone(s.received)
}

// Wait returns Events as soon as there are at least n, or what there is and an error that wraps ctx.Err() when ctx
// ends first.
func (s *Subscription) Wait(ctx context.Context, n int) ([]realtime.Event, error) {
	return s.b.wait(ctx, n, &s.received)
}

// Close ends the subscription. What has been received stays readable. Closing twice does nothing.
func (s *Subscription) Close() {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	rest := slices.DeleteFunc(s.b.subs[s.channel], func(other *Subscription) bool { return other == s })
	if len(rest) == 0 {
		delete(s.b.subs, s.channel)
		return
	}
	s.b.subs[s.channel] = rest
}
