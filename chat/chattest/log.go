package chattest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// Log is one reader's copy of a consultation. It is not safe for concurrent use.
type Log struct {
	id     consultation.ID
	header consultation.Consultation
	epoch  string // of rev; "" for unknown
	rev    int64  // complete up to here
	target int64  // the highest rev that was heard of
	// floor is the seq from which the history is here without a hole. A change of an older message may be here too: it is
	// kept, because the page that brings the message may have been read before the change, but not shown.
	floor    int64
	messages map[chat.MessageID]chat.Message
	// held are the revs above rev whose messages are here already: they came before an earlier one.
	held  map[int64]bool
	reads map[consultation.UserID]int64
	stale bool // something may be missing that no rev tells of: a reset can take what came during the fetch with it
}

// NewLog returns the copy of somebody who knows nothing yet.
func NewLog(id consultation.ID) *Log {
	return &Log{
		id: id, stale: true,
		messages: map[chat.MessageID]chat.Message{},
		held:     map[int64]bool{},
		reads:    map[consultation.UserID]int64{},
	}
}

// Rev is up to where the copy is complete: what to ask for changes since.
func (l *Log) Rev() int64 { return l.rev }

// Epoch is the store's epoch that [Log.Rev] belongs to, for the same request; "" before the first answer.
func (l *Log) Epoch() string { return l.epoch }

// Behind reports whether something is known to be missing.
func (l *Log) Behind() bool { return l.stale || l.target > l.rev }

// Header is the consultation as last fetched, with the rev of the copy.
func (l *Log) Header() consultation.Consultation {
	h := l.header
	h.Rev = l.rev
	return h
}

// Read returns up to where somebody has read.
func (l *Log) Read(user consultation.UserID) int64 { return l.reads[user] }

// Floor is the seq of the oldest message shown, before which there is more to fetch; 0 if there is nothing more.
func (l *Log) Floor() int64 { return l.floor }

// Messages returns what is shown, in order of seq.
func (l *Log) Messages() []chat.Message {
	shown := slices.SortedFunc(maps.Values(l.messages), func(a, b chat.Message) int { return cmp.Compare(a.Seq, b.Seq) })
	return slices.DeleteFunc(shown, func(m chat.Message) bool { return m.Seq < l.floor })
}

// Apply takes an event. Events of other consultations and unknown ones are ignored. An error means that the payload is
// not what the library sends.
func (l *Log) Apply(ev realtime.Event) error {
	var ids struct {
		chat.Thin
		UserID consultation.UserID `json:"userId"`
	}
	if err := json.Unmarshal(ev.Data, &ids); err != nil {
		return fmt.Errorf("chattest: decode %s: %w", ev.Name, err)
	}
	if ids.ConsultationID != l.id {
		return nil
	}
	switch ev.Name {
	case chat.EventNewMessage, chat.EventMessageUpdated, chat.EventMessageDeleted:
		l.target = max(l.target, ids.Rev)
		if ids.Thin.Thin {
			return nil
		}
		var m chat.Message
		if err := json.Unmarshal(ev.Data, &m); err != nil {
			return fmt.Errorf("chattest: decode %s: %w", ev.Name, err)
		}
		l.put(m)
		l.advance(m.Rev)
	case consultation.EventStatusUpdate, consultation.EventConsultationUpdated, chat.EventResyncRequired:
		// One change can have several of these events, and one of them may be lost: the header is fetched.
		l.target = max(l.target, ids.Rev)
		if ids.Rev == 0 { // nobody knows how much was lost
			l.stale = true
		}
	case chat.EventMessagesRead:
		l.reads[ids.UserID] = max(l.reads[ids.UserID], ids.Seq)
	}
	return nil
}

// put keeps the newer version of a message.
func (l *Log) put(m chat.Message) {
	if old, ok := l.messages[m.ID]; !ok || m.Rev > old.Rev {
		l.messages[m.ID] = m
	}
}

// advance notes that the change rev is here, and moves on over everything that now joins up.
func (l *Log) advance(rev int64) {
	if rev > l.rev {
		l.held[rev] = true
	}
	l.join()
}

func (l *Log) join() {
	for l.held[l.rev+1] {
		l.rev++
		delete(l.held, l.rev)
	}
}

// Merge takes the answer to a request for changes since [Log.Rev].
func (l *Log) Merge(c chat.Changes) {
	l.stale = c.Reset
	if c.Reset {
		clear(l.messages)
		clear(l.held)
		if c.Epoch != l.epoch { // the read marks are from another past too
			clear(l.reads)
		}
		l.rev, l.target, l.header = 0, 0, consultation.Consultation{}
	}
	l.epoch = c.Epoch
	l.take(c.Page)
	if c.Reset {
		l.floor = floor(c.Page)
	}
	l.rev = max(l.rev, c.NextSince)
	l.target = max(l.target, c.Consultation.Rev)
	maps.DeleteFunc(l.held, func(rev int64, _ bool) bool { return rev <= l.rev })
	l.join()
}

// Prepend takes the page of the history before [Log.Floor]. A page of another epoch tells only that the copy is out of
// date.
func (l *Log) Prepend(p chat.Page) {
	if p.Epoch != l.epoch {
		l.stale = true
		return
	}
	l.take(p)
	l.floor = min(l.floor, floor(p))
}

// floor is the seq from which on a page leaves nothing out.
func floor(p chat.Page) int64 {
	if !p.HasMore || len(p.Messages) == 0 {
		return 0
	}
	return p.Messages[0].Seq
}

func (l *Log) take(p chat.Page) {
	if p.Consultation.Rev >= l.header.Rev {
		l.header = p.Consultation
	}
	for _, m := range p.Messages {
		l.put(m)
	}
	for user, mark := range p.Reads {
		l.reads[user] = max(l.reads[user], mark.Seq)
	}
}
