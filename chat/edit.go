package chat

import (
	"context"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// OwnMessageParams names a message of the caller's own that is to be edited or deleted.
type OwnMessageParams struct {
	ID MessageID // the message
	// By is the person who asks; only the sender may.
	By consultation.UserID
	// IfRev is the version that the caller has seen, or 0 to change whatever is there.
	IfRev int64
	// Except is the connection that needs no event.
	Except realtime.SocketID
}

// Edit replaces the text of a message, within [Options.EditWindow]. It returns the message as it is now. To repeat an
// edit is safe: a message that has the text already is returned as it is. Errors are those of [Storage.Edit],
// [*consultation.InvalidError] for bad input, [*RefusedError] if the host refuses the text, and [*RateLimitError].
func (s *Service) Edit(ctx context.Context, p OwnMessageParams, content string) (Message, error) {
	content, err := consultation.ParseText("content", content, s.opts.MaxContent)
	if err != nil {
		return Message{}, err
	}
	if err := p.check(); err != nil {
		return Message{}, err
	}
	if err := s.limit(p.By); err != nil {
		return Message{}, err
	}
	edit := EditParams{
		ID: p.ID, By: p.By, Content: content, IfRev: p.IfRev,
		Window: s.opts.EditWindow, Enqueue: s.events.Enqueue(p.Except),
	}
	done, err := s.beforeEdit(ctx, edit)
	if err != nil || done.Unchanged {
		return done.Message, err
	}
	done, err = s.store.Edit(ctx, edit)
	return s.changed(ctx, EventMessageUpdated, done, err, p.Except)
}

// Delete removes the text of a message, within [Options.EditWindow], and returns the tombstone that stays in its place.
// To repeat a deletion is safe. Errors are those of [Storage.Delete], [*consultation.InvalidError] for bad input, and
// [*RateLimitError].
func (s *Service) Delete(ctx context.Context, p OwnMessageParams) (Message, error) {
	if err := p.check(); err != nil {
		return Message{}, err
	}
	if err := s.limit(p.By); err != nil {
		return Message{}, err
	}
	done, err := s.store.Delete(ctx, DeleteParams{
		ID: p.ID, By: p.By, IfRev: p.IfRev,
		Window: s.opts.EditWindow, Enqueue: s.events.Enqueue(p.Except),
	})
	return s.changed(ctx, EventMessageDeleted, done, err, p.Except)
}

func (s *Service) changed(ctx context.Context, event string, done Changed, err error, except realtime.SocketID) (Message, error) {
	if err != nil {
		return Message{}, err
	}
	if !done.Unchanged {
		s.publish(ctx, event, done.Message, done.Audience, done.Entry, except)
	}
	return done.Message, nil
}

func (p OwnMessageParams) check() error {
	if err := checkMessageID(p.ID); err != nil {
		return err
	}
	if _, err := consultation.ParseUserID(string(p.By)); err != nil {
		return err
	}
	if p.IfRev < 0 {
		return &consultation.InvalidError{Field: "If-Match", Reason: "must be a rev"}
	}
	return nil
}
