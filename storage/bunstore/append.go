package bunstore

import (
	"context"

	"github.com/murph-chat/murph/chat"
)

// Append implements [chat.Storage]. On Postgres it is one statement, run again only if another send or change of the same
// consultation was going on; in a transaction of the host's a second one before it takes the row's lock.
func (s *Store) Append(ctx context.Context, p chat.AppendParams) (done chat.Appended, err error) {
	err = s.retry(ctx, func(ctx context.Context) (err error) {
		done, err = s.engine.append(ctx, s, p)
		return err
	})
	if err != nil {
		return chat.Appended{}, s.wrap(ctx, "append message", err)
	}
	return done, nil
}
