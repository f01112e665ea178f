package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"

	"github.com/murph-chat/murph/consultation"
)

// Draft is a text that is about to be stored, for [Options.BeforeSend]. It has passed the checks of the service.
type Draft struct {
	// ConsultationID is where a new message goes; "" for an edit.
	ConsultationID consultation.ID
	// Edits is the message whose text is to be replaced; "" for a new message.
	Edits MessageID
	// SenderID is the person who writes. They take part in the consultation, or have sent the message that they edit.
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

// maxBeforeSend is the number of calls of [Options.BeforeSend] that run at once, hung ones included.
const maxBeforeSend = 256

// before asks the host about a draft of a user who belongs there: nil if there is no hook, or none that objects.
func (s *Service) before(ctx context.Context, d Draft) error {
	caller := ctx
	ctx, cancel := context.WithTimeout(caller, s.opts.HookTimeout)
	defer cancel()
	err := s.asking.acquire(ctx)
	if err == nil {
		err = s.asking.run(ctx, func() error { return s.opts.BeforeSend(ctx, d) })
	}
	var refused *RefusedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		s.stats.refused.Add(1)
	case caller.Err() != nil: // the caller gave up, not the hook
		err = caller.Err()
	default:
		s.stats.hookFailures.Add(1)
	}
	return fmt.Errorf("chat: before send: %w", err)
}

// beforeNew asks the host about a new message, if the sender takes part in the consultation. The check costs one read of
// the store, and only with a hook.
func (s *Service) beforeNew(ctx context.Context, store Storage, p AppendParams) error {
	if s.opts.BeforeSend == nil {
		return nil
	}
	if _, err := store.History(ctx, HistoryParams{ConsultationID: p.ConsultationID, Viewer: p.SenderID, Limit: 1}); err != nil {
		return err
	}
	return s.before(ctx, p.draft())
}

// noRev is a version that no message has.
const noRev = math.MaxInt64

// beforeEdit asks the host about a new text, if the message is By's own and can take one. An edit of a version that does
// not exist changes nothing, and tells that. It reports the message as unchanged if it has the text already.
func (s *Service) beforeEdit(ctx context.Context, p EditParams) (Changed, error) {
	if s.opts.BeforeSend == nil {
		return Changed{}, nil
	}
	probe := p
	probe.IfRev, probe.Enqueue = noRev, nil
	if done, err := s.store.Edit(ctx, probe); !errors.Is(err, ErrStale) {
		return done, err
	}
	return Changed{}, s.before(ctx, Draft{Edits: p.ID, SenderID: p.By, Content: p.Content})
}

// hookCalls runs calls of a hook, each in a goroutine of its own, so that one that ignores its context holds up no
// caller. It bounds their number.
type hookCalls struct {
	slots chan struct{} // one for each call that runs
	hung  atomic.Int64  // calls that run although their time is over
}

func newHookCalls(most int) *hookCalls { return &hookCalls{slots: make(chan struct{}, most)} }

// acquire waits until one more call may run, until ctx ends at the latest.
func (c *hookCalls) acquire(ctx context.Context) error {
	select {
	case c.slots <- struct{}{}:
		return nil
	default:
	}
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ErrHooksBusy
	}
}

// run calls the hook and returns its error. When ctx ends before the call, run returns ctx.Err() and the call is hung until
// it returns. The caller has acquired a slot.
func (c *hookCalls) run(ctx context.Context, hook func() error) error {
	const running, abandoned, returned = 0, 1, 2
	var state atomic.Int32
	answer := make(chan error, 1)
	go func() {
		err := contain(hook)
		if !state.CompareAndSwap(running, returned) {
			c.hung.Add(-1)
		}
		<-c.slots
		answer <- err
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		if state.CompareAndSwap(running, abandoned) {
			c.hung.Add(1)
		}
		return ctx.Err()
	}
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
