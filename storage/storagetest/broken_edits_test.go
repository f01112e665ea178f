package storagetest_test

import (
	"context"
	"errors"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/storage/storagetest"
)

func brokenEdits() []broken {
	return []broken{{
		name:  "edit-ignores-the-rev",
		cases: []string{"edit/refused", "race/edit", "delete/refused"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{
				Store: s,
				edit: func(ctx context.Context, p chat.EditParams) (chat.Changed, error) {
					p.IfRev = 0
					return s.Edit(ctx, p)
				},
				delete: func(ctx context.Context, p chat.DeleteParams) (chat.Changed, error) {
					p.IfRev = 0
					return s.Delete(ctx, p)
				},
			}
		},
	}, {
		name:  "edit-compares-the-rev-with-the-consultation",
		cases: []string{"delete/if-rev"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, edit: func(ctx context.Context, p chat.EditParams) (chat.Changed, error) {
				if p.IfRev != 0 {
					p.IfRev++
				}
				return s.Edit(ctx, p)
			}}
		},
	}, {
		name:  "edit-has-no-window",
		cases: []string{"edit/refused"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, edit: func(ctx context.Context, p chat.EditParams) (chat.Changed, error) {
				p.Window = -1
				return s.Edit(ctx, p)
			}}
		},
	}, {
		name:  "edit-raises-the-rev-for-nothing",
		cases: []string{"edit/unchanged", "delete/unchanged"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{
				Store: s,
				edit: func(ctx context.Context, p chat.EditParams) (chat.Changed, error) {
					done, err := s.Edit(ctx, p)
					if done.Unchanged {
						burn(ctx, s, done.Message.ConsultationID)
					}
					return done, err
				},
				delete: func(ctx context.Context, p chat.DeleteParams) (chat.Changed, error) {
					done, err := s.Delete(ctx, p)
					if done.Unchanged {
						burn(ctx, s, done.Message.ConsultationID)
					}
					return done, err
				},
			}
		},
	}, {
		name:  "edit-tells-strangers-that-there-is-a-message",
		cases: []string{"edit/not-found", "delete/not-found"},
		wrap: func(s storagetest.Store) storagetest.Store {
			tell := func(err error) error {
				if errors.Is(err, chat.ErrMessageNotFound) {
					return chat.ErrNotSender
				}
				return err
			}
			return &hooked{
				Store: s,
				edit: func(ctx context.Context, p chat.EditParams) (chat.Changed, error) {
					done, err := s.Edit(ctx, p)
					return done, tell(err)
				},
				delete: func(ctx context.Context, p chat.DeleteParams) (chat.Changed, error) {
					done, err := s.Delete(ctx, p)
					return done, tell(err)
				},
			}
		},
	}, {
		name:  "edit-writes-no-entry",
		cases: []string{"edit/entry", "delete/entry", "tx/commit"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{
				Store: s,
				edit: func(ctx context.Context, p chat.EditParams) (chat.Changed, error) {
					p.Enqueue = nil
					return s.Edit(ctx, p)
				},
				delete: func(ctx context.Context, p chat.DeleteParams) (chat.Changed, error) {
					p.Enqueue = nil
					return s.Delete(ctx, p)
				},
			}
		},
	}}
}
