package bunstore

import (
	"context"

	"github.com/murph-chat/murph/chat"
)

// MarkRead implements [chat.Storage] with one statement. It does not touch the consultation's row, so it never waits for
// a send and no send for it.
func (s *Store) MarkRead(ctx context.Context, p chat.ReadParams) (done chat.Marked, err error) {
	err = s.retry(ctx, func(ctx context.Context) (err error) {
		done, err = s.engine.markRead(ctx, s, p)
		return err
	})
	if err != nil {
		return chat.Marked{}, s.wrap(ctx, "mark read", err)
	}
	return done, nil
}
