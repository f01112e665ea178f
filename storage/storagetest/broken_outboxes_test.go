package storagetest_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/storagetest"
)

// claims makes a store whose Claim is replaced.
func claims(fn func(ctx context.Context, s storagetest.Store, p realtime.ClaimParams) ([]realtime.Entry, error)) func(storagetest.Store) storagetest.Store {
	return func(s storagetest.Store) storagetest.Store {
		return &hooked{Store: s, claim: func(ctx context.Context, p realtime.ClaimParams) ([]realtime.Entry, error) { return fn(ctx, s, p) }}
	}
}

// nacks makes a store whose Nack is replaced.
func nacks(fn func(ctx context.Context, s storagetest.Store, p realtime.NackParams) error) func(storagetest.Store) storagetest.Store {
	return func(s storagetest.Store) storagetest.Store {
		return &hooked{Store: s, nack: func(ctx context.Context, p realtime.NackParams) error { return fn(ctx, s, p) }}
	}
}

func brokenOutboxes() []broken {
	return []broken{{
		name:  "claim-without-lease",
		cases: []string{"outbox/order", "outbox/race", "lease/expiry"},
		wrap: claims(func(ctx context.Context, s storagetest.Store, p realtime.ClaimParams) ([]realtime.Entry, error) {
			p.Lease = 0
			return s.Claim(ctx, p)
		}),
	}, {
		name:  "claim-leases-for-good",
		cases: []string{"lease/expiry"},
		wrap: func(s storagetest.Store) storagetest.Store {
			var seen sync.Map
			return &hooked{Store: s, claim: func(ctx context.Context, p realtime.ClaimParams) ([]realtime.Entry, error) {
				entries, err := s.Claim(ctx, p)
				return slices.DeleteFunc(entries, func(e realtime.Entry) bool {
					_, again := seen.LoadOrStore(e.ID, true)
					return again
				}), err
			}}
		},
	}, {
		name:  "claim-ignores-the-limit",
		cases: []string{"outbox/order"},
		wrap: claims(func(ctx context.Context, s storagetest.Store, p realtime.ClaimParams) ([]realtime.Entry, error) {
			p.Limit = 1_000
			return s.Claim(ctx, p)
		}),
	}, {
		name:  "claim-newest-first",
		cases: []string{"outbox/order"},
		wrap: claims(func(ctx context.Context, s storagetest.Store, p realtime.ClaimParams) ([]realtime.Entry, error) {
			entries, err := s.Claim(ctx, p)
			slices.Reverse(entries)
			return entries, err
		}),
	}, {
		name:  "claim-does-not-count",
		cases: []string{"lease/expiry"},
		wrap: claims(func(ctx context.Context, s storagetest.Store, p realtime.ClaimParams) ([]realtime.Entry, error) {
			entries, err := s.Claim(ctx, p)
			for i := range entries {
				entries[i].Attempts = 1
			}
			return entries, err
		}),
	}, {
		name:  "claim-has-no-age",
		cases: []string{"lease/age"},
		wrap: claims(func(ctx context.Context, s storagetest.Store, p realtime.ClaimParams) ([]realtime.Entry, error) {
			entries, err := s.Claim(ctx, p)
			for i := range entries {
				entries[i].Age = 0
			}
			return entries, err
		}),
	}, {
		name:  "claim-keeps-content",
		cases: []string{"event/message", "event/deleted", "delete/tombstone"},
		wrap:  keepsContent,
	}, {
		name:  "claim-has-the-assignment-of-then",
		cases: []string{"event/consultation"},
		wrap: func(s storagetest.Store) storagetest.Store {
			var then sync.Map
			return &hooked{
				Store: s,
				change: func(ctx context.Context, p consultation.ChangeParams) (consultation.Changed, error) {
					done, err := s.Change(ctx, p)
					then.Store(done.AssignmentEntry, consultation.NewConsultationUpdated(done.Consultation, done.Consultation.Rev, ""))
					return done, err
				},
				claim: func(ctx context.Context, p realtime.ClaimParams) ([]realtime.Entry, error) {
					entries, err := s.Claim(ctx, p)
					for i := range entries {
						if ev, ok := then.Load(entries[i].ID); ok {
							entries[i].Event = ev.(realtime.Event)
						}
					}
					return entries, err
				},
			}
		},
	}, {
		name:  "claim-resyncs-to-the-entry",
		cases: []string{"event/message"},
		wrap: claims(func(ctx context.Context, s storagetest.Store, p realtime.ClaimParams) ([]realtime.Entry, error) {
			entries, err := s.Claim(ctx, p)
			for i := range entries {
				entries[i].ResyncRev--
			}
			return entries, err
		}),
	}, {
		name:  "lease-of-the-writer-is-ignored",
		cases: []string{"lease/writer"},
		wrap: appends(func(ctx context.Context, s storagetest.Store, p chat.AppendParams) (chat.Appended, error) {
			if p.Enqueue != nil {
				p.Enqueue = &realtime.Enqueue{Except: p.Enqueue.Except}
			}
			return s.Append(ctx, p)
		}),
	}, {
		name:  "except-is-lost",
		cases: []string{"append/entry", "event/message"},
		wrap: appends(func(ctx context.Context, s storagetest.Store, p chat.AppendParams) (chat.Appended, error) {
			if p.Enqueue != nil {
				p.Enqueue = &realtime.Enqueue{Lease: p.Enqueue.Lease}
			}
			return s.Append(ctx, p)
		}),
	}, {
		name:  "ack-knows-all-ids",
		cases: []string{"ack/ids", "ack/many"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, ack: func(ctx context.Context, ids ...int64) error {
				if len(ids) == 0 || len(ids) > 999 || slices.Contains(ids, 0) {
					return errors.New("unknown id")
				}
				return s.Ack(ctx, ids...)
			}}
		},
	}, {
		name:  "ack-through-ignores-the-rev",
		cases: []string{"ack/through", "ack/through-status"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, ackThrough: func(ctx context.Context, ch realtime.Channel, _ int64) error {
				return s.AckThrough(ctx, ch, math.MaxInt64)
			}}
		},
	}, {
		name:  "ack-through-takes-prefixes",
		cases: []string{"ack/through"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, ackThrough: func(ctx context.Context, ch realtime.Channel, rev int64) error {
				err := s.AckThrough(ctx, ch, rev)
				if strings.HasSuffix(string(ch), "room") {
					err = errors.Join(err, s.AckThrough(ctx, ch+"-2", rev))
				}
				return err
			}}
		},
	}, {
		name:  "purge-takes-all",
		cases: []string{"outbox/purge"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, purge: func(ctx context.Context, p realtime.PurgeParams) (int64, error) {
				p.Pending = min(p.Pending, p.Parked)
				p.Parked = p.Pending
				return s.Purge(ctx, p)
			}}
		},
	}, {
		name:  "purge-takes-the-newest",
		cases: []string{"outbox/purge"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, purge: func(ctx context.Context, p realtime.PurgeParams) (int64, error) {
				n, err := s.Purge(ctx, p)
				if p.Pending == 0 {
					err = errors.Join(err, s.AckThrough(ctx, consultation.Channel("second", 1), math.MaxInt64))
				}
				return n, err
			}}
		},
	}, {
		name:  "purge-forgets-left-channels",
		cases: []string{"outbox/purge-left"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, purge: func(ctx context.Context, p realtime.PurgeParams) (int64, error) {
				n, err := s.Purge(ctx, p)
				entries, claimErr := s.Claim(ctx, realtime.ClaimParams{Limit: 100})
				for _, entry := range entries {
					if len(entry.Left) > 0 {
						err = errors.Join(err, s.Ack(ctx, entry.ID))
						n++
					}
				}
				return n, errors.Join(err, claimErr)
			}}
		},
	}, {
		name:  "nack-ignores-the-delay",
		cases: []string{"outbox/nack"},
		wrap: nacks(func(ctx context.Context, s storagetest.Store, p realtime.NackParams) error {
			p.Delay = 0
			return s.Nack(ctx, p)
		}),
	}, {
		name:  "nack-does-not-park",
		cases: []string{"outbox/park", "outbox/backlog"},
		wrap: nacks(func(ctx context.Context, s storagetest.Store, p realtime.NackParams) error {
			p.Park = false
			return s.Nack(ctx, p)
		}),
	}, {
		name:  "nack-takes-the-delay-of-parked-ones",
		cases: []string{"outbox/park"},
		wrap: nacks(func(ctx context.Context, s storagetest.Store, p realtime.NackParams) error {
			p.Park = p.Park && p.Delay == 0
			return s.Nack(ctx, p)
		}),
	}, {
		name:  "backlog-has-no-age",
		cases: []string{"outbox/backlog"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, backlog: func(ctx context.Context) (realtime.Backlog, error) {
				b, err := s.Backlog(ctx)
				b.OldestAge = 0
				return b, err
			}}
		},
	}}
}

// keepsContent publishes what a message was when it was sent.
func keepsContent(s storagetest.Store) storagetest.Store {
	var then sync.Map
	return &hooked{
		Store: s,
		append: func(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
			done, err := s.Append(ctx, p)
			if done.Entry != 0 {
				ev, _ := chat.MessageEvent(chat.EventNewMessage, done.Message, done.Audience, p.Enqueue.Except)
				then.Store(done.Entry, ev)
			}
			return done, err
		},
		claim: func(ctx context.Context, p realtime.ClaimParams) ([]realtime.Entry, error) {
			entries, err := s.Claim(ctx, p)
			for i := range entries {
				if ev, ok := then.Load(entries[i].ID); ok {
					entries[i].Event = ev.(realtime.Event)
				}
			}
			return entries, err
		},
	}
}
