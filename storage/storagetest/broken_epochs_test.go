package storagetest_test

import (
	"context"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/storage/memstore"
	"github.com/murph-chat/murph/storage/storagetest"
)

func brokenEpochs() []broken {
	return []broken{{
		name:  "epoch-is-not-in-the-list",
		cases: []string{"epoch/carried", "epoch/new"},
		wrap: inboxes(func(ctx context.Context, s storagetest.Store, p chat.InboxParams) (chat.InboxPage, error) {
			page, err := s.Inbox(ctx, p)
			if len(page.Items) == 0 {
				page.Epoch = ""
			}
			return page, err
		}),
	}, {
		name:  "changes-of-another-epoch-continue",
		cases: []string{"epoch/new"},
		wrap: catchUps(func(ctx context.Context, s storagetest.Store, p chat.ChangesParams) (chat.Changes, error) {
			p.Epoch = ""
			return s.Changes(ctx, p)
		}),
	}, {
		name:  "epoch-is-replaced-in-spite-of-a-rollback",
		cases: []string{"epoch/transactions"},
		inTx: func(ctx context.Context, s *memstore.Store, fn func(tx storagetest.Store) error) error {
			if err := s.NewEpoch(ctx); err != nil {
				return err
			}
			return s.InTx(ctx, func(tx *memstore.Store) error { return fn(tx) })
		},
	}}
}
