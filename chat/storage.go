package chat

import (
	"context"

	"github.com/murph-chat/murph/consultation"
)

// HistoryParams asks for a page of the history.
type HistoryParams struct {
	ConsultationID consultation.ID     // what to read
	Viewer         consultation.UserID // who asks
	// Before is the seq below which the page ends, or 0 for the newest page.
	Before int64
	// Limit is the size of the page. The service makes 0 the default; stores get at least 1.
	Limit int
}

// ChangesParams asks for what has changed.
type ChangesParams struct {
	ConsultationID consultation.ID     // what to read
	Viewer         consultation.UserID // who asks
	// Since is the rev up to which the caller is complete; 0 for nothing yet.
	Since int64
	// Epoch is the Page.Epoch of the answer that Since is from; "" if the caller has none.
	Epoch string
	Limit int
	// MaxBehind is the number of changes above which the answer is a reset. The service sets it, whatever is here.
	MaxBehind int64
}

// Page is a consultation's header and some of its messages, from one snapshot.
type Page struct {
	Consultation consultation.Consultation // the header
	// Epoch is the store's epoch: 1 to 32 letters, digits, "-" and "_". A rev of one epoch means nothing in another.
	Epoch string
	// Reads has the mark of the patient and of the assigned student, where they have one.
	Reads    map[consultation.UserID]ReadMark
	Messages []Message
	// HasMore says that there are more messages in the direction of the page.
	HasMore bool
}

// Changes is a Page that continues from a rev.
type Changes struct {
	Page
	// NextSince is the rev up to which the caller is complete after this page.
	NextSince int64
	// Reset says that the caller cannot continue from its rev, must forget what it has and take this page, the newest
	// one in the order of seq, instead.
	Reset bool
}

// InboxParams asks for consultations of one person.
type InboxParams struct {
	Viewer consultation.UserID // who asks. The service sets it, whatever is here.
	// Status narrows to one status; "" for all.
	Status consultation.Status
	// OpenRequests asks for all consultations with status REQUESTED, whoever they belong to, instead of the viewer's.
	OpenRequests bool
	// After is where the previous page ended; the zero InboxCursor for the first page.
	After InboxCursor
	Limit int
}

// InboxItem is a consultation in a list.
type InboxItem struct {
	Consultation consultation.Consultation // the header
	// Unread is the number of messages that [Unread] counts. [MaxUnread] means that many or more.
	Unread int
	// Last is the message with the highest seq, nil if there is none.
	Last *Message
	// Cursor is the place of the item in the list.
	Cursor InboxCursor
}

// InboxPage is a page of the list.
type InboxPage struct {
	Items   []InboxItem // newest activity first
	HasMore bool        // whether more follow
	Epoch   string      // the same as in [Page]
}

// ReadParams moves a read mark.
type ReadParams struct {
	ConsultationID consultation.ID     // where
	Reader         consultation.UserID // whose mark it is
	Seq            int64               // the last message that was read
}

// Marked is the mark after a call of MarkRead.
type Marked struct {
	Mark ReadMark
	// Moved says that the call has moved it.
	Moved bool
	// Audience is the consultation's at the moment of the move; zero if it has not Moved.
	Audience consultation.Audience
}

// Storage keeps the messages. Its general rules are those of [consultation.Storage] (all or nothing, committed when
// returned, safe for concurrent use, ctx honoured, ErrRetryTx only in a transaction of the host's). storagetest.Run
// checks each sentence on every implementation.
//
// A viewer, sender or reader who is neither the patient nor the student assigned at this moment gets
// [consultation.ErrNotParticipant], from every method and before anything else is checked; a consultation that does not
// exist gives [consultation.ErrNotFound].
type Storage interface {
	// Append stores a message, in one step with everything that belongs to it:
	//
	//  1. A known ClientMessageID of this sender in this consultation returns the message stored then, as it is now, as
	//     Replayed, and changes nothing, whatever the status of the consultation is now. But if that message was neither
	//     edited nor deleted and its Content is not p.Content, the answer is [consultation.ErrKeyReused].
	//  2. Otherwise a consultation that is not IN_PROGRESS gives a [*consultation.NotActiveError].
	//  3. Otherwise the consultation's rev is raised by one and the message stored with it as Seq and Rev, CreatedAt from
	//     the store's clock after the row was locked, and an outbox entry if p.Enqueue is set.
	//
	// The order of Seq is the order in which the messages become visible to readers. Concurrent calls with one
	// ClientMessageID store one message, and all of them return it. No rev is left out.
	Append(ctx context.Context, p AppendParams) (Appended, error)

	// History returns the Limit newest messages with a Seq below Before, in ascending order of Seq, with tombstones.
	// HasMore tells of older ones.
	History(ctx context.Context, p HistoryParams) (Page, error)

	// Changes returns the messages whose Rev is above Since in their current form, in ascending order of Rev, at most
	// Limit. HasMore tells of further ones. NextSince is the Rev of the last one if HasMore without Reset, else the consultation's.
	// If Since is above the consultation's rev, or more than MaxBehind below it, or of another Epoch than the store's, the
	// answer is a Reset.
	Changes(ctx context.Context, p ChangesParams) (Changes, error)

	// Inbox returns the viewer's consultations, the one with the newest activity (message, status, assignment) first.
	// With OpenRequests it returns those with status REQUESTED of all people, newest first, Unread and Last empty.
	Inbox(ctx context.Context, p InboxParams) (InboxPage, error)

	// MarkRead moves the reader's mark to Seq, at most to the consultation's rev, and never back.
	MarkRead(ctx context.Context, p ReadParams) (Marked, error)

	// Edit replaces the content of the sender's own message:
	//
	//  1. A message that does not exist, or not for By, gives [ErrMessageNotFound]; somebody else's [ErrNotSender].
	//  2. A deleted one gives [ErrDeleted]; one that has this content already is returned Unchanged.
	//  3. An IfRev that is not the message's gives a [*StaleError]; a message older than Window [ErrWindowClosed]; a
	//     consultation that is not IN_PROGRESS a [*consultation.NotActiveError].
	//  4. Otherwise the consultation's rev is raised by one and becomes the message's Rev, EditedAt is the store's time,
	//     and an outbox entry is written if p.Enqueue is set.
	Edit(ctx context.Context, p EditParams) (Changed, error)

	// Delete removes the content of the sender's own message and leaves a tombstone: the same rules as Edit, but one
	// that is deleted already is returned Unchanged. The content is gone from the store.
	Delete(ctx context.Context, p DeleteParams) (Changed, error)

	// NewEpoch replaces the store's epoch with one that it never had, so that every client starts afresh. Call it after a
	// backup was restored: the revs that clients have seen since that backup are given again, to other changes.
	NewEpoch(ctx context.Context) error
}
