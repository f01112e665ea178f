package memstore

import (
	"cmp"
	"slices"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// page returns the newest messages below a seq, or of all if it is 0.
func (r *room) page(before int64, limit int) chat.Page {
	end := len(r.messages)
	if before > 0 {
		end = r.from(before)
	}
	start := max(0, end-limit)
	p := r.empty()
	p.Messages = copies(r.messages[start:end])
	p.HasMore = start > 0
	return p
}

// since returns the messages that were changed after a rev, in the order of their last changes.
func (r *room) since(rev int64, limit int) chat.Changes {
	first, _ := slices.BinarySearchFunc(r.changes, rev+1, func(c change, rev int64) int { return cmp.Compare(c.rev, rev) })
	changes := chat.Changes{Page: r.empty(), NextSince: r.head.Rev}
	for _, c := range r.changes[first:] {
		m := r.messages[c.index]
		if m.Rev != c.rev {
			continue
		}
		if len(changes.Messages) == limit {
			changes.HasMore = true
			changes.NextSince = changes.Messages[limit-1].Rev
			break
		}
		changes.Messages = append(changes.Messages, copyOf(m))
	}
	return changes
}

// empty returns the header and the read marks.
func (r *room) empty() chat.Page {
	p := chat.Page{Consultation: r.header(), Reads: map[consultation.UserID]chat.ReadMark{}}
	for user, mark := range r.reads {
		if _, ok := r.head.Participant(user); ok {
			p.Reads[user] = mark
		}
	}
	return p
}
