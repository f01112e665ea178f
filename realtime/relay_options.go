package realtime

import (
	"fmt"
	"log/slog"
	"time"
)

// RelayOptions changes how a [Relay] works. The zero value is ready to use.
type RelayOptions struct {
	// Lease is how long a fresh outbox entry is reserved for the process that wrote it. It bounds the delay of an event
	// whose process died. Must be longer than PublishTimeout. Defaults to 5 seconds.
	Lease time.Duration
	// PublishTimeout bounds one call of the broadcaster. Defaults to 3 seconds.
	PublishTimeout time.Duration
	// Poll is how often the outbox is looked through for entries that somebody else has left, give or take a fifth.
	// Defaults to 1 second.
	Poll time.Duration
	// ClaimLease is how long a claimed entry is reserved. Must be longer than
	// PublishTimeout. A call of the outbox gets the difference of the two, and 5
	// seconds at most. Defaults to 15 seconds.
	ClaimLease time.Duration
	// Parallel is how many channels are sent to at the same time. Defaults to 16.
	Parallel int
	// MaxQueue and MaxQueueBytes bound the events that were handed off and wait; what is above stays in the outbox until
	// its lease has run out. Default to 10,000 and 32 MiB.
	MaxQueue      int
	MaxQueueBytes int
	// CollapseAfter is the age from which entries are no longer sent one by one: all entries of a channel together become
	// one resync. Defaults to 30 seconds.
	CollapseAfter time.Duration
	// KeepPending is the age from which only the newest entry of each channel is
	// kept, for the resync that goes out when the transport is back. Defaults to
	// 24 hours.
	KeepPending time.Duration
	// KeepParked is the age at which parked entries are removed. Defaults to 7 days.
	KeepParked time.Duration
	// Drain bounds the time that Run takes to finish after its context has ended. Defaults to 4 seconds.
	Drain time.Duration
	// OnAttempt is told of each call of the broadcaster, for metrics. It must be quick and safe for concurrent use. Defaults
	// to nothing.
	OnAttempt func(Attempt)
	// Logger gets what no caller sees. Defaults to slog.Default().
	Logger *slog.Logger
}

func (o *RelayOptions) withDefaults() RelayOptions {
	var d RelayOptions
	if o != nil {
		d = *o
	}
	for _, t := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&d.Lease, 5 * time.Second}, {&d.PublishTimeout, 3 * time.Second}, {&d.Poll, time.Second},
		{&d.ClaimLease, 15 * time.Second}, {&d.CollapseAfter, 30 * time.Second}, {&d.Drain, 4 * time.Second},
		{&d.KeepPending, 24 * time.Hour}, {&d.KeepParked, 7 * 24 * time.Hour},
	} {
		if *t.field <= 0 {
			*t.field = t.value
		}
	}
	for _, n := range []struct {
		field *int
		value int
	}{{&d.Parallel, 16}, {&d.MaxQueue, 10_000}, {&d.MaxQueueBytes, 32 << 20}} {
		if *n.field <= 0 {
			*n.field = n.value
		}
	}
	if d.Logger == nil {
		d.Logger = slog.Default()
	}
	return d
}

// validate refuses leases that would be over before a publish is: nothing would be sent within them, so nothing at all.
func (o *RelayOptions) validate() error {
	if o.Lease <= o.PublishTimeout || o.ClaimLease <= o.PublishTimeout {
		return fmt.Errorf("realtime: Lease (%v) and ClaimLease (%v) must be longer than PublishTimeout (%v)",
			o.Lease, o.ClaimLease, o.PublishTimeout)
	}
	return nil
}
