package chat

import (
	"slices"
	"time"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// AppendParams describes a message to be stored. The service has validated it.
type AppendParams struct {
	// ID is the message's id if it is new; a repeat keeps the first one.
	ID             MessageID
	ConsultationID consultation.ID
	SenderID       consultation.UserID
	Content        string
	// ClientMessageID makes the send repeatable; "" does not.
	ClientMessageID string
	// Enqueue asks for an outbox entry, nil for none.
	Enqueue *realtime.Enqueue
}

// Appended is the outcome of an append.
type Appended struct {
	Message Message // as it is stored
	// Replayed says that the message was stored before, by a call with the same key.
	Replayed bool
	// Entry is the id of the outbox entry, or 0.
	Entry int64
	// Audience is the consultation's at the moment of the append, for the event; zero if it is Replayed.
	Audience consultation.Audience
}

// Apply decides about the append, in the order in which [Storage.Append] promises it. c is the consultation under its
// lock, prior the message that this sender stored there under the same key, or nil, and now the store's clock. A store
// that cannot express the rules in its own language calls it and stores a message that is not replayed, along with c's
// rev raised to the message's.
func (p AppendParams) Apply(c consultation.Consultation, prior *Message, now time.Time) (Appended, error) {
	sender, ok := c.Participant(p.SenderID)
	switch {
	case !ok:
		return Appended{}, consultation.ErrNotParticipant
	case prior != nil:
		return p.Replay(*prior)
	case c.Status != consultation.StatusInProgress:
		return Appended{}, &consultation.NotActiveError{Status: c.Status}
	}
	return Appended{Audience: c.Audience(), Message: Message{
		ID:              p.ID,
		ConsultationID:  p.ConsultationID,
		SenderID:        p.SenderID,
		Content:         p.Content,
		CreatedAt:       now,
		Sender:          sender,
		Seq:             c.Rev + 1,
		Rev:             c.Rev + 1,
		ClientMessageID: p.ClientMessageID,
	}}, nil
}

// Replay decides about a repeat of prior, the message that this sender stored there under the same key. A store that
// does not call [AppendParams.Apply] calls it.
func (p AppendParams) Replay(prior Message) (Appended, error) {
	if prior.EditedAt == nil && !prior.Deleted() && prior.Content != p.Content {
		return Appended{}, consultation.ErrKeyReused
	}
	return Appended{Message: prior, Replayed: true}, nil
}

// EditParams describes a new text for a message.
type EditParams struct {
	ID      MessageID           // the message
	By      consultation.UserID // who edits it
	Content string              // the new text, validated by the service
	// IfRev is the version that the caller has seen, or 0 for any.
	IfRev int64
	// Window is how long after its creation a message may be changed; negative for ever.
	Window  time.Duration
	Enqueue *realtime.Enqueue
}

// DeleteParams describes the removal of a message's content.
type DeleteParams struct {
	ID      MessageID           // the message
	By      consultation.UserID // who deletes it
	IfRev   int64               // the version that By has seen; 0 for any
	Window  time.Duration       // as in EditParams
	Enqueue *realtime.Enqueue   // the outbox entry to write in the same step, nil for none
}

// Changed is the outcome of an edit or a deletion.
type Changed struct {
	Message Message // as it is now
	// Unchanged says that the message was already as asked for: nothing was stored, no rev raised, no event is due.
	Unchanged bool
	Entry     int64
	// Audience is the consultation's at the moment of the change; zero if it is Unchanged.
	Audience consultation.Audience
}

// Apply decides about the edit, in the order in which [Storage.Edit] promises it. A store calls it with the consultation
// under its lock and the message as it is, and stores the result unless it is Unchanged.
func (p EditParams) Apply(c consultation.Consultation, m Message, now time.Time) (Changed, error) {
	if err := own(c, m, p.By); err != nil {
		return Changed{}, err
	}
	switch {
	case m.Deleted():
		return Changed{}, ErrDeleted
	case m.Content == p.Content:
		return Changed{Message: m, Unchanged: true}, nil
	}
	if err := changeable(c, m, p.IfRev, p.Window, now); err != nil {
		return Changed{}, err
	}
	m.Content, m.EditedAt, m.Rev = p.Content, &now, c.Rev+1
	return Changed{Message: m, Audience: c.Audience()}, nil
}

// Apply decides about the deletion, in the order in which [Storage.Delete] promises it.
func (p DeleteParams) Apply(c consultation.Consultation, m Message, now time.Time) (Changed, error) {
	if err := own(c, m, p.By); err != nil {
		return Changed{}, err
	}
	if m.Deleted() {
		return Changed{Message: m, Unchanged: true}, nil
	}
	if err := changeable(c, m, p.IfRev, p.Window, now); err != nil {
		return Changed{}, err
	}
	m.Content, m.DeletedAt, m.Rev = "", &now, c.Rev+1
	return Changed{Message: m, Audience: c.Audience()}, nil
}

func own(c consultation.Consultation, m Message, by consultation.UserID) error {
	if _, ok := c.Participant(by); !ok {
		return ErrMessageNotFound
	}
	if m.SenderID != by {
		return ErrNotSender
	}
	return nil
}

func changeable(c consultation.Consultation, m Message, ifRev int64, window time.Duration, now time.Time) error {
	switch {
	case ifRev != 0 && ifRev != m.Rev:
		return &StaleError{Rev: m.Rev}
	case window >= 0 && now.Sub(m.CreatedAt) > window:
		return ErrWindowClosed
	case c.Status != consultation.StatusInProgress:
		return &consultation.NotActiveError{Status: c.Status}
	}
	return nil
}

// The bounds of [Unread], which keep a list cheap however much is unread.
const (
	MaxUnread    = 100   // where the count ends: it means 100 or more
	UnreadWindow = 1_000 // messages above the mark that are looked at, the newest first
)

// Unread counts what the viewer has not read: messages of others above the mark that are not deleted, at most [MaxUnread].
// The messages are in ascending order of Seq. Of those above the mark it looks at the newest [UnreadWindow] only: older ones
// do not count if the viewer has sent that many after them. It is the definition that stores express in their own language.
func Unread(messages []Message, viewer consultation.UserID, mark ReadMark) int {
	n := 0
	window := messages[max(0, len(messages)-UnreadWindow):]
	for _, m := range slices.Backward(window) {
		if m.Seq <= mark.Seq || n == MaxUnread {
			break
		}
		if m.SenderID != viewer && !m.Deleted() {
			n++
		}
	}
	return n
}
