package chat

import (
	"errors"
	"fmt"
)

// The states that callers branch on, with errors.Is, beside those of package consultation.
var (
	// ErrMessageNotFound says that there is no such message, or none in a consultation of this person.
	ErrMessageNotFound = errors.New("chat: message not found")
	// ErrNotSender says that the message is somebody else's.
	ErrNotSender = errors.New("chat: not the sender of the message")
	// ErrWindowClosed says that the message is too old to be edited or deleted.
	ErrWindowClosed = errors.New("chat: too late to change the message")
	// ErrDeleted says that the message cannot be edited because only its tombstone is left.
	ErrDeleted = errors.New("chat: message deleted")
	// ErrStale says that the message has changed since the caller saw it; see [*StaleError].
	ErrStale = errors.New("chat: message has changed meanwhile")
)

// StaleError is the [ErrStale] that knows the version.
type StaleError struct{ Rev int64 }

// Error names the version.
func (e *StaleError) Error() string { return fmt.Sprintf("%v: it is at rev %d", ErrStale, e.Rev) }

// Is reports whether target is [ErrStale].
func (e *StaleError) Is(target error) bool { return target == ErrStale }
