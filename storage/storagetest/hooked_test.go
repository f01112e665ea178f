package storagetest_test

import (
	"context"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/storagetest"
)

// hooked is a store of which some methods are replaced.
type hooked struct {
	storagetest.Store
	create       func(context.Context, consultation.CreateParams) (consultation.Consultation, error)
	consultation func(context.Context, consultation.ID, consultation.UserID) (consultation.Consultation, error)
	open         func(context.Context, consultation.UserID) ([]consultation.ID, error)
	change       func(context.Context, consultation.ChangeParams) (consultation.Changed, error)
	append       func(context.Context, chat.AppendParams) (chat.Appended, error)
	history      func(context.Context, chat.HistoryParams) (chat.Page, error)
	changes      func(context.Context, chat.ChangesParams) (chat.Changes, error)
	inbox        func(context.Context, chat.InboxParams) (chat.InboxPage, error)
	markRead     func(context.Context, chat.ReadParams) (chat.Marked, error)
	edit         func(context.Context, chat.EditParams) (chat.Changed, error)
	delete       func(context.Context, chat.DeleteParams) (chat.Changed, error)
	newEpoch     func(context.Context) error
	claim        func(context.Context, realtime.ClaimParams) ([]realtime.Entry, error)
	ack          func(context.Context, ...int64) error
	ackThrough   func(context.Context, realtime.Channel, int64) error
	nack         func(context.Context, realtime.NackParams) error
	purge        func(context.Context, realtime.PurgeParams) (int64, error)
	backlog      func(context.Context) (realtime.Backlog, error)
}

// do calls the hook if there is one.
func do[P, R any](ctx context.Context, p P, hook, method func(context.Context, P) (R, error)) (R, error) {
	if hook != nil {
		return hook(ctx, p)
	}
	return method(ctx, p)
}

func (h *hooked) Create(ctx context.Context, p consultation.CreateParams) (consultation.Consultation, error) {
	return do(ctx, p, h.create, h.Store.Create)
}

func (h *hooked) Consultation(ctx context.Context, id consultation.ID, viewer consultation.UserID) (consultation.Consultation, error) {
	if h.consultation != nil {
		return h.consultation(ctx, id, viewer)
	}
	return h.Store.Consultation(ctx, id, viewer)
}

func (h *hooked) Open(ctx context.Context, user consultation.UserID) ([]consultation.ID, error) {
	return do(ctx, user, h.open, h.Store.Open)
}

func (h *hooked) Change(ctx context.Context, p consultation.ChangeParams) (consultation.Changed, error) {
	return do(ctx, p, h.change, h.Store.Change)
}

func (h *hooked) Append(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
	return do(ctx, p, h.append, h.Store.Append)
}

func (h *hooked) History(ctx context.Context, p chat.HistoryParams) (chat.Page, error) {
	return do(ctx, p, h.history, h.Store.History)
}

func (h *hooked) Changes(ctx context.Context, p chat.ChangesParams) (chat.Changes, error) {
	return do(ctx, p, h.changes, h.Store.Changes)
}

func (h *hooked) Inbox(ctx context.Context, p chat.InboxParams) (chat.InboxPage, error) {
	return do(ctx, p, h.inbox, h.Store.Inbox)
}

func (h *hooked) MarkRead(ctx context.Context, p chat.ReadParams) (chat.Marked, error) {
	return do(ctx, p, h.markRead, h.Store.MarkRead)
}

func (h *hooked) Edit(ctx context.Context, p chat.EditParams) (chat.Changed, error) {
	return do(ctx, p, h.edit, h.Store.Edit)
}

func (h *hooked) Delete(ctx context.Context, p chat.DeleteParams) (chat.Changed, error) {
	return do(ctx, p, h.delete, h.Store.Delete)
}

func (h *hooked) NewEpoch(ctx context.Context) error {
	if h.newEpoch != nil {
		return h.newEpoch(ctx)
	}
	return h.Store.NewEpoch(ctx)
}

func (h *hooked) Claim(ctx context.Context, p realtime.ClaimParams) ([]realtime.Entry, error) {
	return do(ctx, p, h.claim, h.Store.Claim)
}

func (h *hooked) Ack(ctx context.Context, ids ...int64) error {
	if h.ack != nil {
		return h.ack(ctx, ids...)
	}
	return h.Store.Ack(ctx, ids...)
}

func (h *hooked) AckThrough(ctx context.Context, ch realtime.Channel, rev int64) error {
	if h.ackThrough != nil {
		return h.ackThrough(ctx, ch, rev)
	}
	return h.Store.AckThrough(ctx, ch, rev)
}

func (h *hooked) Nack(ctx context.Context, p realtime.NackParams) error {
	if h.nack != nil {
		return h.nack(ctx, p)
	}
	return h.Store.Nack(ctx, p)
}

func (h *hooked) Backlog(ctx context.Context) (realtime.Backlog, error) {
	if h.backlog != nil {
		return h.backlog(ctx)
	}
	return h.Store.Backlog(ctx)
}

func (h *hooked) Purge(ctx context.Context, p realtime.PurgeParams) (int64, error) {
	if h.purge != nil {
		return h.purge(ctx, p)
	}
	return h.Store.Purge(ctx, p)
}
