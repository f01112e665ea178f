package bunstore

import (
	"context"
	"database/sql"
	"strconv"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// maxUnread and unreadWindow are the bounds of [chat.Unread] as text.
var (
	maxUnread    = strconv.Itoa(chat.MaxUnread)
	unreadWindow = strconv.Itoa(chat.UnreadWindow)
)

// Inbox implements [chat.Storage] with one statement.
func (s *Store) Inbox(ctx context.Context, p chat.InboxParams) (chat.InboxPage, error) {
	after := p.After
	if after.IsZero() {
		after.Activity = farFuture
	}
	st, args := s.engine.reads().inbox, []any{string(p.Viewer), string(p.Status)}
	if p.OpenRequests {
		st, args = s.engine.reads().requests, nil
	}
	args = append(args, s.engine.at(after.Activity), string(after.ID), int64(p.Limit)+1)

	var page chat.InboxPage
	err := s.rows(ctx, s.read, st, args, func(rows *sql.Rows) error {
		var h header
		var active stamp
		var unread sql.NullInt64
		var last text
		var epoch sql.NullString
		dest := append(append(h.dest(), &active, &unread), last.dest()...)
		if err := rows.Scan(append(dest, &epoch)...); err != nil {
			return err
		}
		page.Epoch = epoch.String
		if !h.id.Valid { // an empty list has a row too, for the epoch
			return nil
		}
		item := chat.InboxItem{
			Consultation: h.consultation(),
			Unread:       int(unread.Int64),
			Cursor:       chat.InboxCursor{Activity: active.Time, ID: consultation.ID(h.id.String)},
		}
		if last.id.Valid {
			m := last.message(item.Consultation.ID)
			item.Last = &m
		}
		page.Items = append(page.Items, item)
		return nil
	})
	if err != nil {
		return chat.InboxPage{}, s.wrap(ctx, "read inbox", err)
	}
	if len(page.Items) > p.Limit {
		page.Items, page.HasMore = page.Items[:p.Limit], true
	}
	return page, nil
}
