package realtime

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// The bounds of one call of the outbox.
const (
	outboxTime = 5 * time.Second
	purgeTime  = time.Minute // a purge reads the whole outbox
)

// outboxTimeout bounds each call of the outbox but a purge. A claim leaves time
// for a publish before its leases end.
func (o *RelayOptions) outboxTimeout() time.Duration {
	return min(outboxTime, o.ClaimLease-o.PublishTimeout)
}

// outboxCall runs calls of one method of the outbox, one at a time, and knows
// whether the last one was answered.
type outboxCall struct {
	timeout time.Duration

	mu    sync.Mutex // guards what is below
	since time.Time  // when the call under way began, or zero
	err   error      // of the last call
}

// run makes a call under the timeout.
func (c *outboxCall) run(ctx context.Context, do func(context.Context) error) error {
	c.begin()
	call, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	err := do(call)
	c.end(err, ctx.Err() != nil)
	return err
}

func (c *outboxCall) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = time.Now()
}

// end keeps the result of the call, unless the caller has given it up.
func (c *outboxCall) end(err error, givenUp bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = time.Time{}
	if err == nil || !givenUp {
		c.err = err
	}
}

// check returns an error if the last call has failed, or if a call is under way
// whose time is over.
func (c *outboxCall) check() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch wait := time.Since(c.since); {
	case !c.since.IsZero() && wait > c.timeout:
		return fmt.Errorf("realtime: the outbox does not answer: a call began %v ago", wait.Round(time.Second))
	case c.err != nil:
		return fmt.Errorf("realtime: the outbox does not answer: %w", c.err)
	}
	return nil
}
