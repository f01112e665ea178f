package consultation

import (
	"errors"
	"fmt"
	"time"
)

// The states that callers branch on, with errors.Is. Package chat returns the same ones.
var (
	// ErrNotFound says that there is no such consultation, or none that concerns this person: the two are not told
	// apart outside, so that ids cannot be probed.
	ErrNotFound = errors.New("consultation: not found")
	// ErrNotParticipant is the second of the two, for logs and tests. It matches ErrNotFound.
	ErrNotParticipant = fmt.Errorf("%w: not a participant", ErrNotFound)
	// ErrForbidden says that the person may see the consultation but not do this.
	ErrForbidden = errors.New("consultation: forbidden")
	// ErrNotActive says that the consultation is not IN_PROGRESS; see [*NotActiveError].
	ErrNotActive = errors.New("consultation: not active")
	// ErrConflict says that a change lost a race or does not fit the state; see [*ConflictError].
	ErrConflict = errors.New("consultation: conflict")
	// ErrKeyReused says that a repeatable request was made before under the same key with other content. Nothing is
	// stored. It matches ErrConflict.
	ErrKeyReused = fmt.Errorf("%w: the key was used for other content", ErrConflict)
	// ErrExists says that a consultation with this id is already there.
	ErrExists = errors.New("consultation: already exists")
	// ErrInvalid says that the input is wrong; see [*InvalidError].
	ErrInvalid = errors.New("consultation: invalid")
	// ErrRateLimited says that the user makes too many changes; see [*RateLimitError].
	ErrRateLimited = errors.New("consultation: too many changes")
	// ErrRetryTx says that the database has given up the surrounding
	// transaction, because of another one (serialization failure, deadlock) or
	// because of a failure that rolls back everything. Nothing of it is stored:
	// roll it back and run the whole transaction again. Outside a transaction of
	// the host application the stores repeat by themselves.
	ErrRetryTx = errors.New("consultation: transaction must be retried")
	// ErrUnavailable says that the database cannot be reached, or cannot do this
	// at the moment. Nothing is wrong with the input: repeating the call later is
	// right. See [*UnavailableError].
	ErrUnavailable = errors.New("consultation: unavailable")
	// ErrNoOutbox says that an event cannot be tied to the host's transaction because the broadcaster has no outbox.
	ErrNoOutbox = errors.New("consultation: the broadcaster has no outbox, wrap it with realtime.NewRelay")
)

// UnavailableError is the [ErrUnavailable] that names the kind of trouble.
type UnavailableError struct {
	Reason string // one of a small fixed set of phrases, such as "disk full"

	// cause is not exported, because an encoder that prints exported fields
	// would reach the settings that some drivers' errors carry.
	cause error
}

// NewUnavailableError returns the error for a cause, which must not be nil.
func NewUnavailableError(reason string, cause error) *UnavailableError {
	return &UnavailableError{Reason: reason, cause: cause}
}

// Error returns the reason and the text of the cause.
func (e *UnavailableError) Error() string {
	return ErrUnavailable.Error() + ": " + e.Reason + ": " + e.cause.Error()
}

// Is reports whether target is [ErrUnavailable].
func (e *UnavailableError) Is(target error) bool { return target == ErrUnavailable }

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.cause }

// InvalidError is the [ErrInvalid] that says which input is wrong and why. Reason is a phrase for developers, like "must
// not be empty"; it never contains the input.
type InvalidError struct {
	Field  string // the JSON name of the input
	Reason string
}

// Error returns the field and the reason.
func (e *InvalidError) Error() string { return ErrInvalid.Error() + " " + e.Field + ": " + e.Reason }

// Is reports whether target is [ErrInvalid].
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// NotActiveError is the [ErrNotActive] that knows the state.
type NotActiveError struct {
	Status Status // of the consultation as it is
}

// Error names the status.
func (e *NotActiveError) Error() string { return ErrNotActive.Error() + ": it is " + string(e.Status) }

// Is reports whether target is [ErrNotActive].
func (e *NotActiveError) Is(target error) bool { return target == ErrNotActive }

// ConflictError is the [ErrConflict] that knows the state.
type ConflictError struct {
	Status Status // of the consultation as it is
}

// Error names the status.
func (e *ConflictError) Error() string { return ErrConflict.Error() + ": it is " + string(e.Status) }

// Is reports whether target is [ErrConflict].
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// RateLimitError is the [ErrRateLimited] that knows how long to wait.
type RateLimitError struct {
	RetryAfter time.Duration // until the next change is allowed
}

// Error returns the wait.
func (e *RateLimitError) Error() string {
	return fmt.Sprintf("%v: wait for %v", ErrRateLimited, e.RetryAfter)
}

// Is reports whether target is [ErrRateLimited].
func (e *RateLimitError) Is(target error) bool { return target == ErrRateLimited }
