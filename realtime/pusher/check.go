package pusher

import (
	"context"
	"net/http"
	"sync/atomic"

	vendor "github.com/pusher/pusher-http-go/v5"
)

// noChannel is a prefix that no channel has, so that the answer to a check is short.
const noChannel = "private-consultation-0-check-"

// Check asks the service for channels that do not exist, which shows that it can be reached and that the credentials are
// right. It publishes nothing. The error is as that of [Broadcaster.Broadcast].
func (b *Broadcaster) Check(ctx context.Context) error {
	return b.call(ctx, "check", nil, func(c *vendor.Client) error {
		prefix := noChannel
		_, err := c.Channels(vendor.ChannelsParams{FilterByPrefix: &prefix})
		return err
	})
}

// Stats is what a [Broadcaster] has done since it was made.
type Stats struct {
	Calls    int64 // calls of the service, checks and revocations too
	Failures int64 // calls that did not succeed, also for want of an answer
	Limited  int64 // failures with the status 429
}

type counters struct{ calls, failures, limited atomic.Int64 }

// Stats returns the current figures.
func (b *Broadcaster) Stats() Stats {
	return Stats{Calls: b.stats.calls.Load(), Failures: b.stats.failures.Load(), Limited: b.stats.limited.Load()}
}

// count keeps the outcome of one call.
func (c *counters) count(status int, err error) {
	c.calls.Add(1)
	if err != nil {
		c.failures.Add(1)
	}
	if status == http.StatusTooManyRequests {
		c.limited.Add(1)
	}
}
