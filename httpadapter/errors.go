package httpadapter

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// Code is the member "code" of a refusal: what a front end branches on. Codes never change their meaning.
type Code string

// The codes, and the HTTP status that each comes with.
const (
	CodeValidation            Code = "validation"              // 400; the member "field" names the input
	CodeUnauthenticated       Code = "unauthenticated"         // 401
	CodeForbidden             Code = "forbidden"               // 403; also a foreign origin, and a channel that is not yours
	CodeEditWindowClosed      Code = "edit_window_closed"      // 403
	CodeNotFound              Code = "not_found"               // 404; also what is somebody else's
	CodeMethodNotAllowed      Code = "method_not_allowed"      // 405, with Allow
	CodeTimeout               Code = "timeout"                 // 408; the body took too long, and repeating the request is right
	CodeConsultationNotActive Code = "consultation_not_active" // 409, with "consultationStatus"
	CodeConflict              Code = "conflict"                // 409, with "consultationStatus"; without, for a key that was used before
	CodeMessageDeleted        Code = "message_deleted"         // 409
	CodeStale                 Code = "stale"                   // 412, with "rev", the version as it is
	CodeTooLarge              Code = "too_large"               // 413
	CodeUnsupportedMediaType  Code = "unsupported_media_type"  // 415
	CodeMessageRefused        Code = "message_refused"         // 422; the host does not want this text
	CodeRateLimited           Code = "rate_limited"            // 429, with Retry-After
	CodeInternal              Code = "internal"                // 500
	CodeUnavailable           Code = "unavailable"             // 503, with Retry-After; repeating the request is right
)

// statusClientGone is what middleware that counts statuses sees when nobody is left to answer. It is nginx's.
const statusClientGone = 499

// What this package refuses by itself.
var (
	errNoRoute         = errors.New("httpadapter: no such route")
	errMethod          = errors.New("httpadapter: method not allowed")
	errCrossOrigin     = errors.New("httpadapter: foreign origin")
	errUnauthenticated = errors.New("httpadapter: not authenticated")
	errForeignChannel  = errors.New("httpadapter: not a channel for this person")
	errTooLarge        = errors.New("httpadapter: request body too large")
	errSlowBody        = errors.New("httpadapter: request body too slow")
	errMediaType       = errors.New("httpadapter: unsupported media type")
)

// failure is how an error is answered.
type failure struct {
	is     error
	status int
	code   Code
	detail string     // for developers, in English
	level  slog.Level // of the log line; none at Debug
}

// failures is the table of all errors that are answered. The first that matches counts; what does not match is internal.
var failures = []failure{
	// First, because a cause that matches another line may be joined with it.
	{ErrUnavailable, http.StatusServiceUnavailable, CodeUnavailable, "the server cannot do this at the moment, try again", slog.LevelWarn},

	{errCrowded, http.StatusServiceUnavailable, CodeUnavailable, "too many at once, try again", slog.LevelDebug},
	{errNoRoute, http.StatusNotFound, CodeNotFound, "there is no such resource", slog.LevelDebug},
	{errMethod, http.StatusMethodNotAllowed, CodeMethodNotAllowed, "see the header Allow", slog.LevelDebug},
	{errCrossOrigin, http.StatusForbidden, CodeForbidden, "the request comes from a foreign origin", slog.LevelDebug},
	{errUnauthenticated, http.StatusUnauthorized, CodeUnauthenticated, "the request belongs to no session", slog.LevelDebug},
	{errForeignChannel, http.StatusForbidden, CodeForbidden, "the channel is not for this person", slog.LevelDebug},
	{errTooLarge, http.StatusRequestEntityTooLarge, CodeTooLarge, "the body is larger than allowed", slog.LevelDebug},
	{errSlowBody, http.StatusRequestTimeout, CodeTimeout, "the body took too long", slog.LevelDebug},
	{errMediaType, http.StatusUnsupportedMediaType, CodeUnsupportedMediaType, "the body must be plain JSON in UTF-8, or a form to authorise", slog.LevelDebug},

	// First, because a policy's own error comes joined with it.
	{consultation.ErrForbidden, http.StatusForbidden, CodeForbidden, "this person may not do that", slog.LevelDebug},
	{consultation.ErrNotFound, http.StatusNotFound, CodeNotFound, "there is no such resource", slog.LevelDebug},
	{chat.ErrMessageNotFound, http.StatusNotFound, CodeNotFound, "there is no such resource", slog.LevelDebug},
	{chat.ErrNotSender, http.StatusForbidden, CodeForbidden, "only the sender may do that", slog.LevelDebug},
	{chat.ErrWindowClosed, http.StatusForbidden, CodeEditWindowClosed, "the message is too old to be changed", slog.LevelDebug},
	{consultation.ErrNotActive, http.StatusConflict, CodeConsultationNotActive, "the consultation is not IN_PROGRESS", slog.LevelDebug},
	{consultation.ErrKeyReused, http.StatusConflict, CodeConflict, "the key was used for other content", slog.LevelDebug},
	{consultation.ErrConflict, http.StatusConflict, CodeConflict, "the status does not allow that (any more)", slog.LevelDebug},
	{chat.ErrDeleted, http.StatusConflict, CodeMessageDeleted, "the message has been deleted", slog.LevelDebug},
	{chat.ErrRefused, http.StatusUnprocessableEntity, CodeMessageRefused, "the host application refuses this text", slog.LevelDebug},
	{chat.ErrHooksBusy, http.StatusServiceUnavailable, CodeUnavailable, "too many at once, try again", slog.LevelWarn},
	{chat.ErrRateLimited, http.StatusTooManyRequests, CodeRateLimited, "see the header Retry-After", slog.LevelDebug},
	{chat.ErrStale, http.StatusPreconditionFailed, CodeStale, "the message is not at this rev any more", slog.LevelDebug},

	{consultation.ErrRetryTx, http.StatusServiceUnavailable, CodeUnavailable, "try again", slog.LevelWarn},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, CodeUnavailable, "it took too long, try again", slog.LevelWarn},
}

// find looks err up. client ends when the client goes.
func find(client context.Context, err error) failure {
	if errors.Is(err, context.Canceled) && client.Err() != nil {
		return failure{status: statusClientGone, code: CodeUnavailable, detail: "the client has gone", level: slog.LevelDebug}
	}
	for _, f := range failures {
		if errors.Is(err, f.is) {
			return f
		}
	}
	var invalid *consultation.InvalidError
	if errors.As(err, &invalid) {
		detail := invalid.Field + " " + invalid.Reason
		return failure{status: http.StatusBadRequest, code: CodeValidation, detail: detail, level: slog.LevelDebug}
	}
	return failure{status: http.StatusInternalServerError, code: CodeInternal, detail: "see the server's log", level: slog.LevelError}
}
