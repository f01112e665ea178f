package storagetest_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/storagetest"
)

// appends makes a store whose Append is replaced.
func appends(fn func(ctx context.Context, s storagetest.Store, p chat.AppendParams) (chat.Appended, error)) func(storagetest.Store) storagetest.Store {
	return func(s storagetest.Store) storagetest.Store {
		return &hooked{Store: s, append: func(ctx context.Context, p chat.AppendParams) (chat.Appended, error) { return fn(ctx, s, p) }}
	}
}

func brokenMessages() []broken {
	var calls atomic.Int64
	return []broken{{
		name:  "append-ignores-the-key",
		cases: []string{"append/repeat", "race/repeats", "tx/repeats"},
		wrap: appends(func(ctx context.Context, s storagetest.Store, p chat.AppendParams) (chat.Appended, error) {
			key := p.ClientMessageID
			p.ClientMessageID = ""
			done, err := s.Append(ctx, p)
			done.Message.ClientMessageID = key
			return done, err
		}),
	}, {
		name:  "append-burns-a-rev-for-a-repeat",
		cases: []string{"append/repeat", "race/repeats"},
		wrap: appends(func(ctx context.Context, s storagetest.Store, p chat.AppendParams) (chat.Appended, error) {
			done, err := s.Append(ctx, p)
			if done.Replayed {
				burn(ctx, s, p.ConsultationID)
			}
			return done, err
		}),
	}, {
		name:  "append-leaves-holes",
		cases: []string{"append/stored", "order/appends", "order/transactions", "tx/retry"},
		wrap: appends(func(ctx context.Context, s storagetest.Store, p chat.AppendParams) (chat.Appended, error) {
			done, err := s.Append(ctx, p)
			burn(ctx, s, p.ConsultationID)
			return done, err
		}),
	}, {
		name:  "append-looks-before-it-locks",
		cases: []string{"race/repeats"},
		wrap:  looksFirst,
	}, {
		name:  "append-compares-contents-with-the-edited-one",
		cases: []string{"append/repeat"},
		wrap: appends(func(ctx context.Context, s storagetest.Store, p chat.AppendParams) (chat.Appended, error) {
			done, err := s.Append(ctx, p)
			if done.Replayed && done.Message.Content != p.Content {
				return chat.Appended{}, consultation.ErrKeyReused
			}
			return done, err
		}),
	}, {
		name:  "append-answers-another-content-with-the-first-message",
		cases: []string{"append/repeat"},
		wrap: func(s storagetest.Store) storagetest.Store {
			var known sync.Map
			return &hooked{Store: s, append: func(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
				done, err := s.Append(ctx, p)
				if err == nil {
					known.Store(p.ClientMessageID, done)
				} else if prior, ok := known.Load(p.ClientMessageID); ok && errors.Is(err, consultation.ErrKeyReused) {
					done = prior.(chat.Appended)
					done.Replayed, done.Entry, err = true, 0, nil
				}
				return done, err
			}}
		},
	}, {
		name:  "append-checks-the-status-before-the-key",
		cases: []string{"append/repeat"},
		wrap: appends(func(ctx context.Context, s storagetest.Store, p chat.AppendParams) (chat.Appended, error) {
			if c, err := s.Consultation(ctx, p.ConsultationID, p.SenderID); err == nil && c.Status.Final() {
				return chat.Appended{}, &consultation.NotActiveError{Status: c.Status}
			}
			return s.Append(ctx, p)
		}),
	}, {
		name:  "append-knows-keys-of-others",
		cases: []string{"append/key-scope"},
		wrap:  sharedKeys,
	}, {
		name:  "append-answers-repeats-of-those-who-were-replaced",
		cases: []string{"append/refused"},
		wrap: func(s storagetest.Store) storagetest.Store {
			var known sync.Map
			return &hooked{Store: s, append: func(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
				done, err := s.Append(ctx, p)
				if err == nil {
					known.Store(p.ClientMessageID, done)
				} else if prior, ok := known.Load(p.ClientMessageID); ok && p.ClientMessageID != "" {
					return prior.(chat.Appended), nil
				}
				return done, err
			}}
		},
	}, {
		name:  "append-hides-the-status",
		cases: []string{"append/not-active", "change/final", "race/complete"},
		wrap: appends(func(ctx context.Context, s storagetest.Store, p chat.AppendParams) (chat.Appended, error) {
			done, err := s.Append(ctx, p)
			if errors.Is(err, consultation.ErrNotActive) {
				err = consultation.ErrNotActive
			}
			return done, err
		}),
	}, {
		name:  "append-has-three-byte-characters",
		cases: []string{"append/content", "edit/stored"},
		wrap: func(s storagetest.Store) storagetest.Store {
			narrow := func(content string) string {
				return strings.Map(func(r rune) rune {
					if r > 0xffff {
						return '?'
					}
					return r
				}, content)
			}
			return &hooked{
				Store: s,
				append: func(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
					p.Content = narrow(p.Content)
					return s.Append(ctx, p)
				},
				edit: func(ctx context.Context, p chat.EditParams) (chat.Changed, error) {
					p.Content = narrow(p.Content)
					return s.Edit(ctx, p)
				},
			}
		},
	}, {
		name:  "append-has-an-entry-for-a-repeat",
		cases: []string{"append/entry"},
		wrap: appends(func(ctx context.Context, s storagetest.Store, p chat.AppendParams) (chat.Appended, error) {
			done, err := s.Append(ctx, p)
			if done.Replayed {
				done.Entry = 1
			}
			return done, err
		}),
	}, {
		name:  "append-gives-up-like-in-a-transaction",
		cases: []string{"race/repeats", "order/appends"},
		wrap: appends(func(ctx context.Context, s storagetest.Store, p chat.AppendParams) (chat.Appended, error) {
			if calls.Add(1)%10 == 0 {
				return chat.Appended{}, consultation.ErrRetryTx
			}
			return s.Append(ctx, p)
		}),
	}}
}

// looksFirst asks for an earlier message in one step and stores in the next.
func looksFirst(s storagetest.Store) storagetest.Store {
	var known sync.Map
	return &hooked{Store: s, append: func(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
		key := p.ClientMessageID
		if prior, ok := known.Load(key); ok {
			done := prior.(chat.Appended)
			done.Replayed, done.Entry = true, 0
			return done, nil
		}
		for range 100 {
			runtime.Gosched()
		}
		p.ClientMessageID = ""
		done, err := s.Append(ctx, p)
		done.Message.ClientMessageID = key
		known.Store(key, done)
		return done, err
	}}
}

// sharedKeys forgets that a key belongs to one sender.
func sharedKeys(s storagetest.Store) storagetest.Store {
	var known sync.Map
	return &hooked{Store: s, append: func(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
		if prior, ok := known.Load(p.ClientMessageID); ok && p.ClientMessageID != "" {
			done := prior.(chat.Appended)
			done.Replayed = true
			return done, nil
		}
		done, err := s.Append(ctx, p)
		known.Store(p.ClientMessageID, done)
		return done, err
	}}
}
