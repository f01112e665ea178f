package realtime

import "time"

// RefusedError is how a transport says that it refuses everything for now, not just this event: wrong credentials, an
// address of something else, a disabled application, a quota. A [Relay] stops sending, parks nothing and probes again
// after a while.
type RefusedError struct {
	Err error
	// ProbeAfter is when to try again, at most an hour; 0 leaves it to the relay.
	ProbeAfter time.Duration
}

// Error returns the text of the wrapped error.
func (e *RefusedError) Error() string { return "realtime: transport refuses: " + cause(e.Err) }

// Unwrap returns the wrapped error.
func (e *RefusedError) Unwrap() error { return e.Err }

// RateLimitError is how a transport says that it is asked too often.
type RateLimitError struct {
	Err error
	// RetryAfter is the wait that the transport asks for, 0 if it names none. A
	// [Relay] waits for an hour at most.
	RetryAfter time.Duration
}

// Error returns the text of the wrapped error.
func (e *RateLimitError) Error() string { return "realtime: rate limited: " + cause(e.Err) }

// Unwrap returns the wrapped error.
func (e *RateLimitError) Unwrap() error { return e.Err }

// cause is the text of err. A transport may leave the cause out; that must not end the process.
func cause(err error) string {
	if err == nil {
		return "no cause given"
	}
	return err.Error()
}
