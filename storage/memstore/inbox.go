package memstore

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// Inbox implements [chat.Storage].
func (s *Store) Inbox(ctx context.Context, p chat.InboxParams) (chat.InboxPage, error) {
	var page chat.InboxPage
	err := s.view(ctx, func(st *state) error {
		type place struct {
			chat.InboxCursor
			room *room
		}
		var found []place
		st.all(func(r *room) {
			at := place{chat.InboxCursor{Activity: r.activity(), ID: r.head.ID}, r}
			if r.listed(p) && (p.After.IsZero() || behind(p.After, at.InboxCursor) < 0) {
				found = append(found, at)
			}
		})
		slices.SortFunc(found, func(a, b place) int { return behind(a.InboxCursor, b.InboxCursor) })
		if page.HasMore = len(found) > p.Limit; page.HasMore {
			found = found[:p.Limit]
		}
		for _, at := range found {
			item := chat.InboxItem{Consultation: at.room.header(), Cursor: at.InboxCursor}
			if !p.OpenRequests {
				mark := at.room.reads[p.Viewer]
				item.Unread = chat.Unread(at.room.messages[at.room.from(mark.Seq+1):], p.Viewer, mark)
				if n := len(at.room.messages); n > 0 {
					last := copyOf(at.room.messages[n-1])
					item.Last = &last
				}
			}
			page.Items = append(page.Items, item)
		}
		page.Epoch = st.currentEpoch()
		return nil
	})
	return page, err
}

// MarkRead implements [chat.Storage].
func (s *Store) MarkRead(ctx context.Context, p chat.ReadParams) (chat.Marked, error) {
	var marked chat.Marked
	err := s.update(ctx, func(st *state) error {
		r, err := st.visible(p.ConsultationID, p.Reader)
		if err != nil {
			return err
		}
		marked.Mark = r.reads[p.Reader]
		if seq := min(p.Seq, r.head.Rev); seq > marked.Mark.Seq {
			marked = chat.Marked{Mark: chat.ReadMark{Seq: seq, At: now()}, Moved: true, Audience: r.head.Audience()}
			st.edit(p.ConsultationID).reads[p.Reader] = marked.Mark
		}
		return nil
	})
	return marked, err
}

// listed reports whether the consultation belongs into the list that was asked for.
func (r *room) listed(p chat.InboxParams) bool {
	if p.OpenRequests {
		return r.head.Status == consultation.StatusRequested
	}
	_, ok := r.head.Participant(p.Viewer)
	return ok && (p.Status == "" || p.Status == r.head.Status)
}

// activity is the time of the newest message, status or assignment.
func (r *room) activity() (t time.Time) {
	t = r.head.UpdatedAt
	if n := len(r.messages); n > 0 && r.messages[n-1].CreatedAt.After(t) {
		t = r.messages[n-1].CreatedAt
	}
	return t
}

// behind compares two places in the list: the newest activity comes first, then the greater id.
func behind(a, b chat.InboxCursor) int {
	return cmp.Or(b.Activity.Compare(a.Activity), strings.Compare(string(b.ID), string(a.ID)))
}
