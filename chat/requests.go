package chat

import (
	"context"

	"github.com/murph-chat/murph/consultation"
)

// maxRequestPages bounds how many pages one call of OpenRequests reads from the store.
const maxRequestPages = 5

// OpenRequests lists the open requests that show includes, the newest first: [Service.Inbox] with OpenRequests,
// filtered. show is called once for each request; an error ends the call. Give it [consultation.Service.MayList], so that
// a student sees only what the host's policy lets them list. Nil includes all.
//
// next is where the following page begins, the zero InboxCursor at the end. When show leaves out many requests, a page
// may be shorter than the limit, even empty, before the end: one call reads at most five pages from the store.
func (s *Service) OpenRequests(
	ctx context.Context, viewer consultation.Participant, p InboxParams, show func(context.Context, consultation.ID) (bool, error),
) (page InboxPage, next InboxCursor, err error) {
	p.OpenRequests = true
	wanted, err := checkLimit(p.Limit)
	if err != nil {
		return InboxPage{}, InboxCursor{}, err
	}
	var items []InboxItem
	for range maxRequestPages {
		page, err = s.Inbox(ctx, viewer, p)
		if err != nil {
			return InboxPage{}, InboxCursor{}, err
		}
		for i, item := range page.Items {
			shown := true
			if show != nil {
				if shown, err = show(ctx, item.Consultation.ID); err != nil {
					return InboxPage{}, InboxCursor{}, err
				}
			}
			if shown {
				items = append(items, item)
			}
			p.After = item.Cursor
			if len(items) == wanted {
				page.HasMore = page.HasMore || i+1 < len(page.Items)
				return requestPage(page, items, p.After)
			}
		}
		if !page.HasMore {
			break
		}
		p.Limit = MaxPageSize
	}
	return requestPage(page, items, p.After)
}

// requestPage returns the items in place of those of page, the last one that was read.
func requestPage(page InboxPage, items []InboxItem, last InboxCursor) (InboxPage, InboxCursor, error) {
	page.Items = items
	if !page.HasMore {
		last = InboxCursor{}
	}
	return page, last, nil
}
