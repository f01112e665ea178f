package memstore

import (
	"context"
	"errors"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// Append implements [chat.Storage].
func (s *Store) Append(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
	var done chat.Appended
	err := s.update(ctx, func(st *state) error {
		r := st.room(p.ConsultationID)
		if r == nil {
			return consultation.ErrNotFound
		}
		var prior *chat.Message
		if p.ClientMessageID != "" {
			if i, ok := r.keys[key{p.SenderID, p.ClientMessageID}]; ok {
				prior = &r.messages[i]
			}
		}
		result, err := p.Apply(r.head, prior, now())
		if err != nil {
			return err
		}
		if !result.Replayed {
			if _, _, taken := st.find(p.ID); taken {
				return errors.New("memstore: the message id is taken")
			}
			r = st.edit(p.ConsultationID)
			st.homes[p.ID] = home{room: p.ConsultationID, index: len(r.messages)}
			r.put(len(r.messages), result.Message)
			result.Entry = s.enqueueMessage(st, p.Enqueue, chat.EventNewMessage, result.Message)
		}
		result.Message = copyOf(result.Message)
		done = result
		return nil
	})
	return done, err
}

// Edit implements [chat.Storage].
func (s *Store) Edit(ctx context.Context, p chat.EditParams) (chat.Changed, error) {
	return s.rewrite(ctx, p.ID, p.Enqueue, chat.EventMessageUpdated, func(c consultation.Consultation, m chat.Message) (chat.Changed, error) {
		return p.Apply(c, m, now())
	})
}

// Delete implements [chat.Storage].
func (s *Store) Delete(ctx context.Context, p chat.DeleteParams) (chat.Changed, error) {
	return s.rewrite(ctx, p.ID, p.Enqueue, chat.EventMessageDeleted, func(c consultation.Consultation, m chat.Message) (chat.Changed, error) {
		return p.Apply(c, m, now())
	})
}

// rewrite stores what apply makes of a message.
func (s *Store) rewrite(
	ctx context.Context, id chat.MessageID, q *realtime.Enqueue, event string,
	apply func(c consultation.Consultation, m chat.Message) (chat.Changed, error),
) (chat.Changed, error) {
	var done chat.Changed
	err := s.update(ctx, func(st *state) error {
		r, index, ok := st.find(id)
		if !ok {
			return chat.ErrMessageNotFound
		}
		result, err := apply(r.head, r.messages[index])
		if err != nil {
			return err
		}
		if !result.Unchanged {
			st.edit(r.head.ID).put(index, result.Message)
			result.Entry = s.enqueueMessage(st, q, event, result.Message)
		}
		result.Message = copyOf(result.Message)
		done = result
		return nil
	})
	return done, err
}

// History implements [chat.Storage].
func (s *Store) History(ctx context.Context, p chat.HistoryParams) (chat.Page, error) {
	var page chat.Page
	err := s.view(ctx, func(st *state) error {
		r, err := st.visible(p.ConsultationID, p.Viewer)
		if err != nil {
			return err
		}
		page = r.page(p.Before, p.Limit)
		page.Epoch = st.currentEpoch()
		return nil
	})
	return page, err
}

// Changes implements [chat.Storage].
func (s *Store) Changes(ctx context.Context, p chat.ChangesParams) (chat.Changes, error) {
	var changes chat.Changes
	err := s.view(ctx, func(st *state) error {
		r, err := st.visible(p.ConsultationID, p.Viewer)
		if err != nil {
			return err
		}
		epoch := st.currentEpoch()
		restored := p.Epoch != "" && p.Epoch != epoch
		if behind := r.head.Rev - p.Since; behind < 0 || behind > p.MaxBehind || restored {
			changes = chat.Changes{Page: r.page(0, p.Limit), NextSince: r.head.Rev, Reset: true}
		} else {
			changes = r.since(p.Since, p.Limit)
		}
		changes.Epoch = epoch
		return nil
	})
	return changes, err
}
