package chat

import (
	"context"
	"log/slog"

	"github.com/murph-chat/murph/consultation"
)

// MarkRead says that the reader has seen everything up to seq, and returns the mark in force: marks only move forward,
// and never past the newest change. The other person gets messages-read if it moved, unless receipts are private. Marks
// raise no rev; clients merge them by taking the higher.
func (s *Service) MarkRead(ctx context.Context, p ReadParams) (ReadMark, error) {
	if err := checkIDs(p.ConsultationID, p.Reader); err != nil {
		return ReadMark{}, err
	}
	if p.Seq < 0 {
		return ReadMark{}, &consultation.InvalidError{Field: "seq", Reason: "must not be negative"}
	}
	if err := s.limit(p.Reader); err != nil {
		return ReadMark{}, err
	}
	marked, err := s.store.MarkRead(ctx, p)
	if err != nil {
		return ReadMark{}, err
	}
	if marked.Moved && s.opts.ReadReceipts == ReceiptsShared {
		ev, err := MessagesRead(p.ConsultationID, p.Reader, marked.Mark, marked.Audience)
		if err != nil {
			s.opts.Logger.LogAttrs(ctx, slog.LevelError, "event not built", slog.Any("err", err))
			return marked.Mark, nil
		}
		s.events.Publish(ctx, 0, ev)
	}
	return marked.Mark, nil
}
