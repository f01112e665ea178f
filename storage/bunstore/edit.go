package bunstore

import (
	"context"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/realtime"
)

// Edit implements [chat.Storage] in a short transaction.
func (s *Store) Edit(ctx context.Context, p chat.EditParams) (chat.Changed, error) {
	done, err := s.alter(ctx, p.ID, chat.EventMessageUpdated, p.Enqueue, func(c locked, m chat.Message) (chat.Changed, error) {
		return p.Apply(c.Consultation, m, c.now)
	})
	return done, s.wrap(ctx, "edit message", err)
}

// Delete implements [chat.Storage] in a short transaction.
func (s *Store) Delete(ctx context.Context, p chat.DeleteParams) (chat.Changed, error) {
	done, err := s.alter(ctx, p.ID, chat.EventMessageDeleted, p.Enqueue, func(c locked, m chat.Message) (chat.Changed, error) {
		return p.Apply(c.Consultation, m, c.now)
	})
	return done, s.wrap(ctx, "delete message", err)
}

// alter locks the consultation of the message, reads the message after that, and stores what apply makes of it.
func (s *Store) alter(ctx context.Context, id chat.MessageID, event string, e *realtime.Enqueue,
	apply func(locked, chat.Message) (chat.Changed, error),
) (done chat.Changed, err error) {
	err = s.transact(ctx, func(q conn) (bool, error) {
		c, err := s.engine.lock(ctx, s, q, lockKey{message: id})
		if err != nil {
			return false, err
		}
		if !c.found {
			return false, chat.ErrMessageNotFound
		}
		var t text
		found, err := s.row(ctx, q, s.engine.reads().message, []any{string(id)}, t.dest()...)
		if err != nil {
			return false, err
		}
		if !found {
			return false, chat.ErrMessageNotFound
		}
		if done, err = apply(c, t.message(c.ID)); err != nil || done.Unchanged {
			return false, err
		}
		done.Entry, err = s.engine.saveMessage(ctx, s, q, done.Message, event, e, c.now)
		return true, err
	})
	if err != nil {
		return chat.Changed{}, err
	}
	return done, nil
}
