package storagetest_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/storagetest"
)

func brokenConsultations() []broken {
	return []broken{{
		name:  "create-starts-at-rev-0",
		cases: []string{"create/stored"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, create: func(ctx context.Context, p consultation.CreateParams) (consultation.Consultation, error) {
				c, err := s.Create(ctx, p)
				c.Rev = 0
				return c, err
			}}
		},
	}, {
		name:  "create-returns-what-is-there",
		cases: []string{"create/taken", "race/create", "tx/refusals"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, create: func(ctx context.Context, p consultation.CreateParams) (consultation.Consultation, error) {
				c, err := s.Create(ctx, p)
				if errors.Is(err, consultation.ErrExists) {
					return s.Consultation(ctx, p.ID, "")
				}
				return c, err
			}}
		},
	}, {
		name:  "create-cuts-names",
		cases: []string{"create/limits"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, create: func(ctx context.Context, p consultation.CreateParams) (consultation.Consultation, error) {
				p.Patient.FirstName = p.Patient.FirstName[:min(255, len(p.Patient.FirstName))]
				return s.Create(ctx, p)
			}}
		},
	}, {
		name:  "local-times",
		cases: []string{"create/stored", "append/stored", "change/stored"},
		wrap: func(s storagetest.Store) storagetest.Store {
			berlin := time.FixedZone("CET", 3600)
			return &hooked{
				Store: s,
				create: func(ctx context.Context, p consultation.CreateParams) (consultation.Consultation, error) {
					c, err := s.Create(ctx, p)
					c.CreatedAt = c.CreatedAt.In(berlin)
					return c, err
				},
				change: func(ctx context.Context, p consultation.ChangeParams) (consultation.Changed, error) {
					done, err := s.Change(ctx, p)
					done.Consultation.UpdatedAt = done.Consultation.UpdatedAt.In(berlin)
					return done, err
				},
				append: func(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
					done, err := s.Append(ctx, p)
					done.Message.CreatedAt = done.Message.CreatedAt.In(berlin)
					return done, err
				},
			}
		},
	}, {
		name:  "nanoseconds",
		cases: []string{"create/stored"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, create: func(ctx context.Context, p consultation.CreateParams) (consultation.Consultation, error) {
				c, err := s.Create(ctx, p)
				c.CreatedAt = c.CreatedAt.Add(7)
				return c, err
			}}
		},
	}, {
		name:  "host-sees-nothing",
		cases: []string{"consultation/viewers"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, consultation: func(ctx context.Context, id consultation.ID, v consultation.UserID) (consultation.Consultation, error) {
				if v == "" {
					v = "host"
				}
				return s.Consultation(ctx, id, v)
			}}
		},
	}, {
		name:  "no-rows-escapes",
		cases: []string{"consultation/refused"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, consultation: func(ctx context.Context, id consultation.ID, v consultation.UserID) (consultation.Consultation, error) {
				c, err := s.Consultation(ctx, id, v)
				if errors.Is(err, consultation.ErrNotFound) {
					err = fmt.Errorf("%w: %w", err, sql.ErrNoRows)
				}
				return c, err
			}}
		},
	}, {
		name:  "strangers-are-not-told-apart",
		cases: []string{"consultation/refused", "tx/rollback"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, consultation: func(ctx context.Context, id consultation.ID, v consultation.UserID) (consultation.Consultation, error) {
				c, err := s.Consultation(ctx, id, v)
				if errors.Is(err, consultation.ErrNotParticipant) {
					err = consultation.ErrNotFound
				}
				return c, err
			}}
		},
	}, {
		name:  "change-without-compare-and-set",
		cases: []string{"race/accept", "change/refused"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, change: func(ctx context.Context, p consultation.ChangeParams) (consultation.Changed, error) {
				done, err := s.Change(ctx, p)
				if errors.Is(err, consultation.ErrConflict) && p.To == consultation.StatusInProgress {
					p.By, p.To = consultation.Host(), ""
					return s.Change(ctx, p)
				}
				return done, err
			}}
		},
	}, {
		name:  "change-hides-its-errors",
		cases: []string{"change/refused", "change/unknown"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, change: func(ctx context.Context, p consultation.ChangeParams) (consultation.Changed, error) {
				done, err := s.Change(ctx, p)
				if err != nil {
					err = errors.New(err.Error())
				}
				return done, err
			}}
		},
	}, {
		name:  "change-writes-no-entries",
		cases: []string{"change/entries", "event/consultation", "ack/through-status"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, change: func(ctx context.Context, p consultation.ChangeParams) (consultation.Changed, error) {
				p.Enqueue = nil
				return s.Change(ctx, p)
			}}
		},
	}, {
		name:  "open-lists-what-has-ended",
		cases: []string{"consultation/open"},
		wrap: func(s storagetest.Store) storagetest.Store {
			var mu sync.Mutex
			ids := map[consultation.UserID][]consultation.ID{}
			return &hooked{
				Store: s,
				create: func(ctx context.Context, p consultation.CreateParams) (consultation.Consultation, error) {
					mu.Lock()
					defer mu.Unlock()
					ids[p.Patient.UserID] = append(ids[p.Patient.UserID], p.ID)
					return s.Create(ctx, p)
				},
				open: func(_ context.Context, user consultation.UserID) ([]consultation.ID, error) {
					mu.Lock()
					defer mu.Unlock()
					return ids[user], nil
				},
			}
		},
	}, {
		name:  "history-forgets-the-audience",
		cases: []string{"consultation/audience"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, history: func(ctx context.Context, p chat.HistoryParams) (chat.Page, error) {
				page, err := s.History(ctx, p)
				page.Consultation.AudienceNumber = 1
				return page, err
			}}
		},
	}, {
		name:  "change-repeats-raise-the-rev",
		cases: []string{"change/unchanged"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, change: func(ctx context.Context, p consultation.ChangeParams) (consultation.Changed, error) {
				done, err := s.Change(ctx, p)
				if done.Unchanged {
					burn(ctx, s, p.ID)
				}
				return done, err
			}}
		},
	}, {
		name:  "entries-forget-the-channels-left",
		cases: []string{"event/left", "ack/through-status"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, claim: func(ctx context.Context, p realtime.ClaimParams) ([]realtime.Entry, error) {
				entries, err := s.Claim(ctx, p)
				for i := range entries {
					entries[i].Left = nil
				}
				return entries, err
			}}
		},
	}, {
		name:  "change-keeps-the-student",
		cases: []string{"change/final", "change/stored"},
		wrap: func(s storagetest.Store) storagetest.Store {
			return &hooked{Store: s, change: func(ctx context.Context, p consultation.ChangeParams) (consultation.Changed, error) {
				if p.To == "" {
					if c, err := s.Consultation(ctx, p.ID, ""); err == nil {
						p.Student = c.Student
					}
				}
				return s.Change(ctx, p)
			}}
		},
	}, {
		name:  "change-takes-effect-later",
		cases: []string{"race/complete", "race/reassign", "change/final"},
		wrap:  lateChanges,
	}}
}

// lateChanges puts off what ends a consultation or replaces a student until the next page is read.
func lateChanges(s storagetest.Store) storagetest.Store {
	var (
		mu    sync.Mutex
		later []consultation.ChangeParams
	)
	return &hooked{
		Store: s,
		change: func(ctx context.Context, p consultation.ChangeParams) (consultation.Changed, error) {
			if p.To == consultation.StatusInProgress {
				return s.Change(ctx, p)
			}
			before, err := s.Consultation(ctx, p.ID, "")
			if err != nil {
				return consultation.Changed{}, err
			}
			out, err := p.Apply(before, before.UpdatedAt)
			if err != nil {
				return consultation.Changed{}, err
			}
			mu.Lock()
			defer mu.Unlock()
			later = append(later, p)
			return consultation.Changed{Outcome: out, Announcement: p.Announce(before, out.Consultation)}, nil
		},
		history: func(ctx context.Context, p chat.HistoryParams) (chat.Page, error) {
			mu.Lock()
			defer mu.Unlock()
			for _, p := range later {
				_, _ = s.Change(ctx, p)
			}
			later = nil
			return s.History(ctx, p)
		},
	}
}
