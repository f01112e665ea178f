package realtime

import (
	"context"
	"errors"
)

// ErrTooLarge says that an event is larger than the transport carries. Sending its thin form may succeed.
var ErrTooLarge = errors.New("realtime: event too large")

// Broadcaster carries events to the subscribers of their channels.
//
//  1. A nil error means that the transport took the event, not that anybody has received it: delivery is at most once.
//  2. The event goes to every connection subscribed to its channel but the one named by Except.
//  3. Two calls, one after the other, for one channel are delivered in that order to every connection that gets both.
//  4. The call returns when ctx ends, with an error that wraps ctx.Err(), if it has not succeeded by then. With a ctx
//     that has already ended, nothing is sent.
//  5. An event that [Event.Validate] refuses is refused with an error that matches [ErrInvalidEvent].
//  6. A failure that repeating cannot mend, because it is the event's own, is a [*PermanentError] or matches
//     [ErrInvalidEvent]. One that concerns all events, such as wrong credentials, is a [*RefusedError].
//  7. It is safe for concurrent use.
//
// realtimetest.Run checks each sentence.
type Broadcaster interface {
	Broadcast(ctx context.Context, ev Event) error
}

// MaxBatch is the largest number of events in one call of
// [BatchBroadcaster.BroadcastBatch], which is the limit of hosted Pusher
// Channels (HTTP API reference, "POST batch events").
const MaxBatch = 10

// BatchBroadcaster is a Broadcaster that can carry several events at once.
//
//  8. BroadcastBatch takes up to [MaxBatch] events and returns one error for
//     each, in their order. Each error means what Broadcast's would: nil if the
//     transport took that event.
//  9. Events of one batch for one channel are delivered in their order.
//  10. An invalid event does not keep the other events of its batch from being
//     sent.
//
// An error that the transport has for the whole batch is the error of each
// event. The sentences continue those of [Broadcaster]; realtimetest.Run checks
// them too.
type BatchBroadcaster interface {
	Broadcaster
	BroadcastBatch(ctx context.Context, evs []Event) []error
}

// BroadcasterFunc makes a Broadcaster out of a function.
type BroadcasterFunc func(ctx context.Context, ev Event) error

// Broadcast calls f.
func (f BroadcasterFunc) Broadcast(ctx context.Context, ev Event) error { return f(ctx, ev) }

// PermanentError wraps a failure that would come again however often the same
// event is sent, while other events may succeed. A [Relay] parks such an event.
// For a failure that concerns all events return a [*RefusedError].
type PermanentError struct{ Err error }

// Error returns the text of the wrapped error.
func (e *PermanentError) Error() string { return "realtime: permanent: " + cause(e.Err) }

// Unwrap returns the wrapped error.
func (e *PermanentError) Unwrap() error { return e.Err }
