package memstore

import (
	"cmp"
	"maps"
	"slices"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// state is all that a store holds. The state of a transaction has the committed one as its parent and keeps copies of
// what it has changed; the parent does not change before the commit, because the transaction is the only writer.
type state struct {
	parent *state
	rooms  map[consultation.ID]*room
	// homes tells where a message is.
	homes map[chat.MessageID]home
	queue []entry
	// epoch is "" in a transaction that has not replaced it.
	epoch string
	// queued says that queue holds, in a transaction, and not the parent's.
	queued bool
}

// room is a consultation with all that belongs to it.
type room struct {
	head     consultation.Consultation
	messages []chat.Message // in ascending order of Seq
	// changes has a line for every rev that concerned a message, in ascending order. A line is out of date once the
	// message has a later rev.
	changes []change
	keys    map[key]int // index of the message
	reads   map[consultation.UserID]chat.ReadMark
}

// home is the consultation of a message and its index there.
type home struct {
	room  consultation.ID
	index int
}

// change says that the message at the index was changed with the rev.
type change struct {
	rev   int64
	index int
}

// key is what makes a send repeatable.
type key struct {
	sender consultation.UserID
	client string
}

func newState(parent *state) *state {
	return &state{
		parent: parent,
		rooms:  map[consultation.ID]*room{},
		homes:  map[chat.MessageID]home{},
	}
}

// commit moves the changes into the parent.
func (st *state) commit() {
	maps.Copy(st.parent.rooms, st.rooms)
	maps.Copy(st.parent.homes, st.homes)
	if st.queued {
		st.parent.queue = st.queue
	}
	st.parent.epoch = st.currentEpoch()
}

// currentEpoch returns the epoch in force.
func (st *state) currentEpoch() string {
	if st.epoch == "" && st.parent != nil {
		return st.parent.epoch
	}
	return st.epoch
}

// room returns the consultation for reading, or nil.
func (st *state) room(id consultation.ID) *room {
	if r := st.rooms[id]; r != nil || st.parent == nil {
		return r
	}
	return st.parent.room(id)
}

// edit returns the consultation for writing.
func (st *state) edit(id consultation.ID) *room {
	if r := st.rooms[id]; r != nil {
		return r
	}
	r := st.parent.room(id).clone()
	st.rooms[id] = r
	return r
}

// all calls fn with every consultation.
func (st *state) all(fn func(r *room)) {
	for _, r := range st.rooms {
		fn(r)
	}
	if st.parent != nil {
		for id, r := range st.parent.rooms {
			if st.rooms[id] == nil {
				fn(r)
			}
		}
	}
}

// find returns the consultation and the index of a message.
func (st *state) find(id chat.MessageID) (r *room, index int, ok bool) {
	at, ok := st.homes[id]
	if !ok && st.parent != nil {
		at, ok = st.parent.homes[id]
	}
	if !ok {
		return nil, 0, false
	}
	return st.room(at.room), at.index, true
}

func (r *room) clone() *room {
	return &room{
		head:     r.head,
		messages: slices.Clone(r.messages),
		changes:  slices.Clone(r.changes),
		keys:     maps.Clone(r.keys),
		reads:    maps.Clone(r.reads),
	}
}

// put stores a message, new or changed, with the rev that it has.
func (r *room) put(index int, m chat.Message) {
	if index == len(r.messages) {
		r.messages = append(r.messages, m)
		if m.ClientMessageID != "" {
			r.keys[key{m.SenderID, m.ClientMessageID}] = index
		}
	} else {
		r.messages[index] = m
	}
	r.changes = append(r.changes, change{rev: m.Rev, index: index})
	r.head.Rev = m.Rev
}

// from returns the index of the first message whose seq is at least seq.
func (r *room) from(seq int64) int {
	i, _ := slices.BinarySearchFunc(r.messages, seq, func(m chat.Message, seq int64) int { return cmp.Compare(m.Seq, seq) })
	return i
}

// copyOf returns m without shared memory.
func copyOf(m chat.Message) chat.Message {
	m.EditedAt = clonePtr(m.EditedAt)
	m.DeletedAt = clonePtr(m.DeletedAt)
	return m
}

func copies(ms []chat.Message) []chat.Message {
	out := make([]chat.Message, len(ms))
	for i, m := range ms {
		out[i] = copyOf(m)
	}
	return out
}

// header returns the consultation without shared memory.
func (r *room) header() consultation.Consultation {
	c := r.head
	c.Student = clonePtr(c.Student)
	return c
}

func clonePtr[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}
