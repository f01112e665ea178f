package storagetest_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/storagetest"
)

// histories makes a store whose History is replaced.
func histories(fn func(ctx context.Context, s storagetest.Store, p chat.HistoryParams) (chat.Page, error)) func(storagetest.Store) storagetest.Store {
	return func(s storagetest.Store) storagetest.Store {
		return &hooked{Store: s, history: func(ctx context.Context, p chat.HistoryParams) (chat.Page, error) { return fn(ctx, s, p) }}
	}
}

// catchUps makes a store whose Changes is replaced.
func catchUps(fn func(ctx context.Context, s storagetest.Store, p chat.ChangesParams) (chat.Changes, error)) func(storagetest.Store) storagetest.Store {
	return func(s storagetest.Store) storagetest.Store {
		return &hooked{Store: s, changes: func(ctx context.Context, p chat.ChangesParams) (chat.Changes, error) { return fn(ctx, s, p) }}
	}
}

func brokenReads() []broken {
	return []broken{{
		name:  "history-guesses-has-more",
		cases: []string{"history/pages"},
		wrap: histories(func(ctx context.Context, s storagetest.Store, p chat.HistoryParams) (chat.Page, error) {
			page, err := s.History(ctx, p)
			page.HasMore = len(page.Messages) == p.Limit
			return page, err
		}),
	}, {
		name:  "history-includes-before",
		cases: []string{"history/pages"},
		wrap: histories(func(ctx context.Context, s storagetest.Store, p chat.HistoryParams) (chat.Page, error) {
			if p.Before > 0 {
				p.Before++
			}
			return s.History(ctx, p)
		}),
	}, {
		name:  "history-leaves-out-tombstones",
		cases: []string{"delete/if-rev"},
		wrap: histories(func(ctx context.Context, s storagetest.Store, p chat.HistoryParams) (chat.Page, error) {
			page, err := s.History(ctx, p)
			page.Messages = slices.DeleteFunc(page.Messages, func(m chat.Message) bool { return m.Deleted() && m.ID != "m-1" })
			for i := range page.Messages {
				page.Messages[i].Sender.Image = ""
			}
			return page, err
		}),
	}, {
		name:  "history-has-no-header-of-its-own",
		cases: []string{"history/empty"},
		wrap: histories(func(ctx context.Context, s storagetest.Store, p chat.HistoryParams) (chat.Page, error) {
			page, err := s.History(ctx, p)
			if len(page.Messages) == 0 {
				page.Consultation = consultation.Consultation{}
			}
			return page, err
		}),
	}, {
		name:  "history-for-those-who-were-replaced",
		cases: []string{"history/viewers"},
		wrap: histories(func(ctx context.Context, s storagetest.Store, p chat.HistoryParams) (chat.Page, error) {
			page, err := s.History(ctx, p)
			if errors.Is(err, consultation.ErrNotParticipant) && p.Viewer == "student-1" {
				p.Viewer = "patient-1"
				return s.History(ctx, p)
			}
			return page, err
		}),
	}, {
		name:  "history-from-two-snapshots",
		cases: []string{"order/appends"},
		wrap: histories(func(ctx context.Context, s storagetest.Store, p chat.HistoryParams) (chat.Page, error) {
			page, err := s.History(ctx, p)
			if err == nil {
				page.Consultation = later(ctx, s, page.Consultation)
			}
			return page, err
		}),
	}, {
		name:  "changes-from-two-snapshots",
		cases: []string{"order/appends"},
		wrap: catchUps(func(ctx context.Context, s storagetest.Store, p chat.ChangesParams) (chat.Changes, error) {
			page, err := s.Changes(ctx, p)
			if err == nil && !page.HasMore {
				page.Consultation = later(ctx, s, page.Consultation)
				page.NextSince = page.Consultation.Rev
			}
			return page, err
		}),
	}, {
		name:  "changes-of-strangers",
		cases: []string{"changes/viewers"},
		wrap: catchUps(func(ctx context.Context, s storagetest.Store, p chat.ChangesParams) (chat.Changes, error) {
			if p.Viewer == "student-1" {
				p.Viewer = "patient-1"
			}
			return s.Changes(ctx, p)
		}),
	}, {
		name:  "changes-by-seq",
		cases: []string{"changes/since", "changes/paging", "order/edits"},
		wrap: catchUps(func(ctx context.Context, s storagetest.Store, p chat.ChangesParams) (chat.Changes, error) {
			page, err := s.History(ctx, chat.HistoryParams{ConsultationID: p.ConsultationID, Viewer: p.Viewer, Limit: 1000})
			if err != nil {
				return chat.Changes{}, err
			}
			changes := chat.Changes{Page: page, NextSince: page.Consultation.Rev}
			changes.Messages = slices.DeleteFunc(page.Messages, func(m chat.Message) bool { return m.Seq <= p.Since })
			if changes.HasMore = len(changes.Messages) > p.Limit; changes.HasMore {
				changes.Messages = changes.Messages[:p.Limit]
				changes.NextSince = changes.Messages[p.Limit-1].Seq
			}
			return changes, nil
		}),
	}, {
		name:  "changes-skips-what-does-not-fit",
		cases: []string{"changes/since", "changes/paging"},
		wrap: catchUps(func(ctx context.Context, s storagetest.Store, p chat.ChangesParams) (chat.Changes, error) {
			changes, err := s.Changes(ctx, p)
			changes.NextSince = changes.Consultation.Rev
			return changes, err
		}),
	}, {
		name:  "changes-ends-at-the-last-message",
		cases: []string{"changes/header-only", "changes/since"},
		wrap: catchUps(func(ctx context.Context, s storagetest.Store, p chat.ChangesParams) (chat.Changes, error) {
			changes, err := s.Changes(ctx, p)
			if changes.NextSince = p.Since; len(changes.Messages) > 0 {
				changes.NextSince = changes.Messages[len(changes.Messages)-1].Rev
			}
			return changes, err
		}),
	}, {
		name:  "changes-never-resets",
		cases: []string{"changes/reset", "mark/shown"},
		wrap: catchUps(func(ctx context.Context, s storagetest.Store, p chat.ChangesParams) (chat.Changes, error) {
			p.MaxBehind = 1_000_000
			changes, err := s.Changes(ctx, p)
			if changes.Reset {
				changes.Reset, changes.Messages, changes.Reads = false, nil, nil
			}
			return changes, err
		}),
	}, {
		name:  "changes-resets-one-too-early",
		cases: []string{"changes/reset"},
		wrap: catchUps(func(ctx context.Context, s storagetest.Store, p chat.ChangesParams) (chat.Changes, error) {
			p.MaxBehind--
			return s.Changes(ctx, p)
		}),
	}, {
		name:  "changes-shows-rows-behind-the-cursor", // as a bigserial or a UUIDv7 does, which is fixed before the commit
		cases: []string{"order/appends", "order/transactions"},
		wrap: catchUps(func(ctx context.Context, s storagetest.Store, p chat.ChangesParams) (chat.Changes, error) {
			changes, err := s.Changes(ctx, p)
			changes.Messages = slices.DeleteFunc(changes.Messages, func(m chat.Message) bool {
				return m.Seq == changes.Consultation.Rev
			})
			return changes, err
		}),
	}, {
		name:  "changes-gives-old-texts",
		cases: []string{"order/edits", "changes/since"},
		wrap:  oldTexts,
	}, {
		name:  "delete-keeps-the-text",
		cases: []string{"delete/tombstone"},
		wrap: func(s storagetest.Store) storagetest.Store {
			var texts sync.Map
			return &hooked{
				Store: s,
				append: func(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
					done, err := s.Append(ctx, p)
					texts.Store(p.ID, p.Content)
					return done, err
				},
				history: func(ctx context.Context, p chat.HistoryParams) (chat.Page, error) {
					page, err := s.History(ctx, p)
					for i, m := range page.Messages {
						if text, ok := texts.Load(m.ID); ok && m.Deleted() {
							page.Messages[i].Content = text.(string)
						}
					}
					return page, err
				},
			}
		},
	}}
}

// later returns the consultation after the next change, if there is one soon.
func later(ctx context.Context, s storagetest.Store, c consultation.Consultation) consultation.Consultation {
	for range 1000 {
		now, err := s.Consultation(ctx, c.ID, "")
		if err != nil || now.Rev != c.Rev {
			return now
		}
		runtime.Gosched()
	}
	return c
}

// oldTexts keeps the first form of every message that Changes has ever returned.
func oldTexts(s storagetest.Store) storagetest.Store {
	var first sync.Map
	return &hooked{
		Store: s,
		append: func(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
			first.Store(p.ID, p.Content)
			return s.Append(ctx, p)
		},
		changes: func(ctx context.Context, p chat.ChangesParams) (chat.Changes, error) {
			changes, err := s.Changes(ctx, p)
			for i, m := range changes.Messages {
				if text, ok := first.Load(m.ID); ok {
					changes.Messages[i].Content = text.(string)
				}
			}
			return changes, err
		},
	}
}
