package pusher

import (
	"fmt"
	"net/http"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// APIError is an answer of the service that is not a success. Its text names the status and what it means, and nothing
// of the request or the answer's body, which can have a signature in it.
type APIError struct {
	Status int // of the answer
	// RetryAfter is the wait that the service asks for, at most an hour, or 0.
	RetryAfter time.Duration
	// ClockSkew is how far this machine's clock is ahead of the service's, by the answer's Date.
	ClockSkew time.Duration
}

// skewed reports whether the clock explains a refused signature.
func (e *APIError) skewed() bool {
	return e.Status == http.StatusUnauthorized && e.ClockSkew.Abs() > pusherproto.MaxClockSkew-time.Minute
}

// blamesEvent reports whether the service finds fault with the event, or with all
// that it gets, as it does when the address is that of something else.
func (e *APIError) blamesEvent() bool {
	return e.Status == http.StatusBadRequest || e.Status == http.StatusUnprocessableEntity
}

// Error says what the status means.
func (e *APIError) Error() string {
	meaning := http.StatusText(e.Status)
	switch {
	case e.skewed():
		meaning = fmt.Sprintf("the clock of this machine is off by %v", e.ClockSkew)
	case e.Status == http.StatusUnauthorized:
		meaning = "the credentials are wrong"
	case e.Status == http.StatusForbidden:
		meaning = "the application is disabled or over its quota"
	case e.Status == http.StatusNotFound, e.Status >= 300 && e.Status < 400:
		meaning = "no such application in this cluster"
	}
	return fmt.Sprintf("status %d: %s", e.Status, meaning)
}

// How long to leave the service alone after refusals that only a person can mend.
const (
	probeCredentials = 30 * time.Second
	probeApplication = 60 * time.Second
)

// classify says with the types of package realtime what to do about the answer.
// An answer that is not known concerns the configuration: a redirection, or a
// status such as 404 or 405, comes from something that is not the service.
func (e *APIError) classify() error {
	switch s := e.Status; {
	case e.blamesEvent():
		return &realtime.PermanentError{Err: e}
	case s == http.StatusUnauthorized:
		return &realtime.RefusedError{Err: e, ProbeAfter: max(e.RetryAfter, probeCredentials)}
	case s == http.StatusForbidden:
		return &realtime.RefusedError{Err: e, ProbeAfter: e.RetryAfter} // a quota lasts: the waits of the relay grow
	case s == http.StatusRequestEntityTooLarge:
		return fmt.Errorf("%w: %w", realtime.ErrTooLarge, e)
	case s == http.StatusTooManyRequests:
		return &realtime.RateLimitError{Err: e, RetryAfter: e.RetryAfter}
	case s == http.StatusRequestTimeout, s == http.StatusTooEarly, s >= 500 && e.RetryAfter == 0:
		return e
	case s >= 500:
		return &realtime.RefusedError{Err: e, ProbeAfter: e.RetryAfter}
	}
	return &realtime.RefusedError{Err: e, ProbeAfter: max(e.RetryAfter, probeApplication)}
}
