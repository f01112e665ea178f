package storagetest_test

import (
	"context"
	"slices"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/storagetest"
)

// inboxes makes a store whose Inbox is replaced.
func inboxes(fn func(ctx context.Context, s storagetest.Store, p chat.InboxParams) (chat.InboxPage, error)) func(storagetest.Store) storagetest.Store {
	return func(s storagetest.Store) storagetest.Store {
		return &hooked{Store: s, inbox: func(ctx context.Context, p chat.InboxParams) (chat.InboxPage, error) { return fn(ctx, s, p) }}
	}
}

// marks makes a store whose MarkRead is replaced.
func marks(fn func(ctx context.Context, s storagetest.Store, p chat.ReadParams) (chat.Marked, error)) func(storagetest.Store) storagetest.Store {
	return func(s storagetest.Store) storagetest.Store {
		return &hooked{Store: s, markRead: func(ctx context.Context, p chat.ReadParams) (chat.Marked, error) { return fn(ctx, s, p) }}
	}
}

func brokenLists() []broken {
	return []broken{{
		name:  "inbox-by-creation",
		cases: []string{"inbox/order"},
		wrap: inboxes(func(ctx context.Context, s storagetest.Store, p chat.InboxParams) (chat.InboxPage, error) {
			page, err := s.Inbox(ctx, p)
			slices.SortFunc(page.Items, func(a, b chat.InboxItem) int {
				return b.Consultation.CreatedAt.Compare(a.Consultation.CreatedAt)
			})
			return page, err
		}),
	}, {
		name:  "inbox-ignores-the-status",
		cases: []string{"inbox/viewers"},
		wrap: inboxes(func(ctx context.Context, s storagetest.Store, p chat.InboxParams) (chat.InboxPage, error) {
			p.Status = ""
			return s.Inbox(ctx, p)
		}),
	}, {
		name:  "inbox-repeats-the-last-item",
		cases: []string{"inbox/cursor"},
		wrap: inboxes(func(ctx context.Context, s storagetest.Store, p chat.InboxParams) (chat.InboxPage, error) {
			if !p.After.IsZero() {
				p.After.ID += "~"
			}
			return s.Inbox(ctx, p)
		}),
	}, {
		name:  "inbox-has-cursors-of-milliseconds",
		cases: []string{"inbox/cursor"},
		wrap: inboxes(func(ctx context.Context, s storagetest.Store, p chat.InboxParams) (chat.InboxPage, error) {
			page, err := s.Inbox(ctx, p)
			for i := range page.Items {
				page.Items[i].Cursor.Activity = page.Items[i].Cursor.Activity.Truncate(time.Millisecond)
			}
			return page, err
		}),
	}, {
		name:  "inbox-counts-tombstones",
		cases: []string{"inbox/unread"},
		wrap: inboxes(func(ctx context.Context, s storagetest.Store, p chat.InboxParams) (chat.InboxPage, error) {
			page, err := s.Inbox(ctx, p)
			for i, item := range page.Items {
				if item.Last != nil && item.Last.Deleted() && item.Last.SenderID != p.Viewer {
					page.Items[i].Unread++
				}
			}
			return page, err
		}),
	}, {
		name:  "inbox-counts-without-end",
		cases: []string{"inbox/many-unread"},
		wrap: inboxes(func(ctx context.Context, s storagetest.Store, p chat.InboxParams) (chat.InboxPage, error) {
			page, err := s.Inbox(ctx, p)
			for i := range page.Items {
				if page.Items[i].Unread == chat.MaxUnread {
					page.Items[i].Unread++
				}
			}
			return page, err
		}),
	}, {
		name:  "inbox-counts-the-oldest",
		cases: []string{"inbox/unread-window"},
		wrap: inboxes(func(ctx context.Context, s storagetest.Store, p chat.InboxParams) (chat.InboxPage, error) {
			page, err := s.Inbox(ctx, p)
			for i, item := range page.Items {
				if item.Consultation.Rev > chat.UnreadWindow {
					page.Items[i].Unread = 1
				}
			}
			return page, err
		}),
	}, {
		name:  "inbox-has-the-past-last",
		cases: []string{"inbox/long-past"},
		wrap: inboxes(func(ctx context.Context, s storagetest.Store, p chat.InboxParams) (chat.InboxPage, error) {
			page, err := s.Inbox(ctx, p)
			slices.SortStableFunc(page.Items, func(a, b chat.InboxItem) int {
				return over(a.Consultation.Status) - over(b.Consultation.Status)
			})
			return page, err
		}),
	}, {
		name:  "inbox-has-open-requests-of-the-viewer-only",
		cases: []string{"inbox/open-requests"},
		wrap: inboxes(func(ctx context.Context, s storagetest.Store, p chat.InboxParams) (chat.InboxPage, error) {
			if p.OpenRequests {
				p.OpenRequests, p.Status = false, consultation.StatusRequested
			}
			return s.Inbox(ctx, p)
		}),
	}, {
		name:  "mark-moves-back",
		cases: []string{"mark/moves", "mark/race"},
		wrap: marks(func(ctx context.Context, s storagetest.Store, p chat.ReadParams) (chat.Marked, error) {
			marked, err := s.MarkRead(ctx, p)
			if marked.Mark.Seq > p.Seq {
				marked.Mark.Seq, marked.Moved = p.Seq-1, true
			}
			return marked, err
		}),
	}, {
		name:  "mark-is-not-clamped",
		cases: []string{"mark/moves"},
		wrap: marks(func(ctx context.Context, s storagetest.Store, p chat.ReadParams) (chat.Marked, error) {
			marked, err := s.MarkRead(ctx, p)
			marked.Mark.Seq = max(marked.Mark.Seq, p.Seq)
			return marked, err
		}),
	}, {
		name:  "mark-says-that-it-moved",
		cases: []string{"mark/moves", "mark/race"},
		wrap: marks(func(ctx context.Context, s storagetest.Store, p chat.ReadParams) (chat.Marked, error) {
			marked, err := s.MarkRead(ctx, p)
			marked.Moved = !marked.Moved
			return marked, err
		}),
	}, {
		name:  "mark-raises-the-rev",
		cases: []string{"mark/moves"},
		wrap: marks(func(ctx context.Context, s storagetest.Store, p chat.ReadParams) (chat.Marked, error) {
			marked, err := s.MarkRead(ctx, p)
			burn(ctx, s, p.ConsultationID)
			return marked, err
		}),
	}, {
		name:  "mark-of-strangers",
		cases: []string{"mark/refused"},
		wrap: marks(func(ctx context.Context, s storagetest.Store, p chat.ReadParams) (chat.Marked, error) {
			if p.Reader == "stranger" {
				return chat.Marked{}, nil
			}
			return s.MarkRead(ctx, p)
		}),
	}, {
		name:  "marks-of-everybody-are-shown",
		cases: []string{"mark/shown"},
		wrap: histories(func(ctx context.Context, s storagetest.Store, p chat.HistoryParams) (chat.Page, error) {
			page, err := s.History(ctx, p)
			if _, ok := page.Reads["student-1"]; err == nil && !ok {
				page.Reads["student-1"] = chat.ReadMark{Seq: 1}
			}
			return page, err
		}),
	}}
}

// over is 1 for a status that is the last, else 0.
func over(s consultation.Status) int {
	if s.Final() {
		return 1
	}
	return 0
}
