package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/murph-chat/murph/consultation"
)

// Draft is a text that is about to be stored, for [Options.BeforeSend]. It has passed the checks of the service.
type Draft struct {
	// ConsultationID is where a new message goes; "" for an edit.
	ConsultationID consultation.ID
	// Edits is the message whose text is to be replaced; "" for a new message.
	Edits MessageID
	// SenderID is the person who writes. Whether they may is not decided yet: the store does that last.
	SenderID consultation.UserID
	// Content is the text in the form that will be stored.
	Content string
	// ClientMessageID is the key of a repeatable send, or "".
	ClientMessageID string
}

// LogValue shows ids and sizes, never the content.
func (d Draft) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("consultation_id", string(d.ConsultationID)),
		slog.String("edits", string(d.Edits)),
		slog.String("sender_id", string(d.SenderID)),
		slog.Int("bytes", len(d.Content)),
	)
}

// before asks the host about a draft: nil if there is no hook, or none that objects. The hook has a goroutine of its own,
// so that one that ignores its context holds up nobody; that goroutine ends when the hook returns.
func (s *Service) before(ctx context.Context, d Draft) error {
	if s.opts.BeforeSend == nil {
		return nil
	}
	caller := ctx
	ctx, cancel := context.WithTimeout(caller, s.opts.HookTimeout)
	defer cancel()
	answer := make(chan error, 1)
	go func() { answer <- contain(func() error { return s.opts.BeforeSend(ctx, d) }) }()
	var err error
	select {
	case err = <-answer:
	case <-ctx.Done():
		err = ctx.Err()
	}
	var refused *RefusedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		s.stats.refused.Add(1)
	case caller.Err() != nil: // the caller gave up, not the hook
	default:
		s.stats.hookFailures.Add(1)
	}
	return fmt.Errorf("chat: before send: %w", err)
}

// contain turns a panic of the host's code into an error. The text of the panic is not in it: it could hold the message.
func contain(hook func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the hook panicked with a %T", p)
		}
	}()
	return hook()
}
