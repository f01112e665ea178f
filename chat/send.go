package chat

import (
	"context"
	"log/slog"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// SendParams is a message to be sent.
type SendParams struct {
	ConsultationID consultation.ID // where to write
	// SenderID is the person who sends, as the host has authenticated them.
	SenderID consultation.UserID
	// Content is a text by the rules of [consultation.ParseText]; 1 to [Options.MaxContent] characters.
	Content string
	// ClientMessageID lets the sender repeat the send without storing it twice: 1 to 64 of [A-Za-z0-9_-], unique for the
	// sender in this consultation, for as long as the message exists. "" makes every call a new message. The content is
	// compared with the stored one until the message is edited or deleted; after that only the key counts.
	ClientMessageID string
	// Except is the connection that needs no event, because it gets the answer.
	Except realtime.SocketID
}

// Sent is the outcome of a send.
type Sent struct {
	Message Message // as it is stored
	// Replayed says that an earlier call with the same ClientMessageID has stored it.
	Replayed bool
}

// Send stores the message and hands the event to the broadcaster. When it returns without an error the message is
// durable. It returns
//   - an [*consultation.InvalidError] for bad input,
//   - an error that matches [consultation.ErrNotFound] if there is no such consultation, or not for this sender,
//   - a [*consultation.NotActiveError] if the consultation is not IN_PROGRESS,
//   - [consultation.ErrKeyReused] if the sender has stored another content under the ClientMessageID,
//   - a [*RefusedError] if the host refuses the message, and a [*RateLimitError] above [Options.WriteRate],
//   - an error that wraps what went wrong in [Options.BeforeSend], and then nothing is stored,
//   - any other error for a failure of the store. Whether the message was stored is then unknown.
//
// To repeat a send with the same ClientMessageID is safe after every error.
func (s *Service) Send(ctx context.Context, p SendParams) (Sent, error) {
	a, err := s.appendParams(p)
	if err != nil {
		return Sent{}, err
	}
	repeat := s.stored.has(a) // whose answer was lost: waiting would not spare the store anything
	if !repeat {
		if err := s.limit(p.SenderID); err != nil {
			return Sent{}, err
		}
	}
	if !repeat { // the text of a repeat was approved before
		if err := s.beforeNew(ctx, s.store, a); err != nil {
			return Sent{}, err
		}
	}
	a.Enqueue = s.events.Enqueue(p.Except)
	done, err := s.store.Append(ctx, a)
	if err != nil {
		return Sent{}, err
	}
	s.stored.add(a)
	if done.Replayed {
		if !repeat {
			s.rate.GiveBack(string(p.SenderID))
		}
		s.stats.replayed.Add(1)
	} else {
		s.stats.sent.Add(1)
		s.after.call(ctx, done.Message)
		s.publish(ctx, EventNewMessage, done.Message, done.Audience, done.Entry, p.Except)
	}
	return Sent{Message: done.Message, Replayed: done.Replayed}, nil
}

// SendTx is Send within a transaction of the host's: tx is the store bound to it, as bunstore's With returns. The message
// and its event appear if and only if the host commits. It publishes nothing itself: the outbox does after the commit,
// so without an outbox it returns [consultation.ErrNoOutbox]. [consultation.ErrRetryTx] means that the whole transaction has to be
// run again. The consultation stays locked until the host's transaction ends: send last.
func (s *Service) SendTx(ctx context.Context, tx Storage, p SendParams) (Sent, error) {
	if !s.events.HasOutbox() {
		return Sent{}, consultation.ErrNoOutbox
	}
	a, err := s.appendParams(p)
	if err != nil {
		return Sent{}, err
	}
	if err := s.beforeNew(ctx, tx, a); err != nil {
		return Sent{}, err
	}
	a.Enqueue = &realtime.Enqueue{Except: p.Except}
	done, err := tx.Append(ctx, a)
	if err != nil {
		return Sent{}, err
	}
	return Sent{Message: done.Message, Replayed: done.Replayed}, nil
}

func (s *Service) appendParams(p SendParams) (AppendParams, error) {
	if err := checkIDs(p.ConsultationID, p.SenderID); err != nil {
		return AppendParams{}, err
	}
	content, err := consultation.ParseText("content", p.Content, s.opts.MaxContent)
	if err != nil {
		return AppendParams{}, err
	}
	if err := consultation.CheckKey("clientMessageId", p.ClientMessageID); err != nil {
		return AppendParams{}, err
	}
	return AppendParams{
		ID:              s.opts.NewID(),
		ConsultationID:  p.ConsultationID,
		SenderID:        p.SenderID,
		Content:         content,
		ClientMessageID: p.ClientMessageID,
	}, nil
}

// draft is what the host is asked about.
func (p AppendParams) draft() Draft {
	return Draft{
		ConsultationID: p.ConsultationID, SenderID: p.SenderID, Content: p.Content, ClientMessageID: p.ClientMessageID,
	}
}

// publish sends the event of a message that is stored. It cannot fail the caller.
func (s *Service) publish(ctx context.Context, name string, m Message, to consultation.Audience, entry int64, except realtime.SocketID) {
	ev, err := MessageEvent(name, m, to, except)
	if err != nil {
		s.opts.Logger.LogAttrs(ctx, slog.LevelError, "event not built", slog.Any("message", m), slog.Any("err", err))
		return
	}
	s.events.Publish(ctx, entry, ev)
}
