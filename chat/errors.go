package chat

import (
	"errors"
	"fmt"

	"github.com/murph-chat/murph/consultation"
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
	// ErrRefused says that the host does not want the message; see [*RefusedError].
	ErrRefused = errors.New("chat: message refused")
	// ErrHooksBusy says that too many calls of [Options.BeforeSend] run already, probably because they hang.
	ErrHooksBusy = errors.New("chat: too many calls of BeforeSend are running")
	// ErrRateLimited says that the user writes too often; see [*RateLimitError].
	ErrRateLimited = consultation.ErrRateLimited
)

// StaleError is the [ErrStale] that knows the version.
type StaleError struct {
	Rev int64 // of the message as it is
}

// Error names the version.
func (e *StaleError) Error() string { return fmt.Sprintf("%v: it is at rev %d", ErrStale, e.Rev) }

// Is reports whether target is [ErrStale].
func (e *StaleError) Is(target error) bool { return target == ErrStale }

// RefusedError is the [ErrRefused] that [Options.BeforeSend] returns. Reason is a sentence that the sender is shown as it
// is, in a language that they understand; "" shows them a general one. It is not part of the text of the error, because
// it may quote the message.
type RefusedError struct{ Reason string }

// Error says that there is a refusal, not why.
func (e *RefusedError) Error() string { return ErrRefused.Error() }

// Is reports whether target is [ErrRefused].
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

// RateLimitError is the [ErrRateLimited] that knows how long to wait.
type RateLimitError = consultation.RateLimitError
