package memstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// entry is an outbox entry as it is kept: a reference, never content.
type entry struct {
	id       int64
	ref      chat.Reference
	written  time.Time
	due      time.Time // when it may be claimed
	attempts int
	parked   bool
	reason   string // why it was parked
}

// enqueue writes an entry, oldest first, and returns its id, or 0 if none is asked for.
func (s *Store) enqueue(st *state, q *realtime.Enqueue, ref chat.Reference) int64 {
	if q == nil {
		return 0
	}
	ref.Except = q.Except
	at := now()
	e := entry{id: s.db.entries.Add(1), ref: ref, written: at, due: at.Add(q.Lease)}
	queue := st.editQueue()
	*queue = append(*queue, e)
	return e.id
}

func (s *Store) enqueueMessage(st *state, q *realtime.Enqueue, event string, m chat.Message) int64 {
	return s.enqueue(st, q, chat.Reference{
		Event:          event,
		ConsultationID: m.ConsultationID,
		Rev:            m.Rev,
		MessageID:      m.ID,
	})
}

// Claim implements [realtime.Outbox].
func (s *Store) Claim(ctx context.Context, p realtime.ClaimParams) ([]realtime.Entry, error) {
	var claimed []realtime.Entry
	err := s.update(ctx, func(st *state) error {
		at := now()
		var due []int
		for i, e := range st.entries() {
			if len(due) >= p.Limit {
				break
			}
			if e.parked || e.due.After(at) {
				continue
			}
			out, err := st.export(e, at)
			if err != nil {
				return err
			}
			due, claimed = append(due, i), append(claimed, out)
		}
		if len(due) == 0 {
			return nil
		}
		queue := *st.editQueue()
		for _, i := range due {
			queue[i].attempts++
			queue[i].due = at.Add(p.Lease)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// export makes the entry to be published from the rows as they are now.
func (st *state) export(e entry, at time.Time) (realtime.Entry, error) {
	var c *consultation.Consultation
	if r := st.room(e.ref.ConsultationID); r != nil {
		c = &r.head
	}
	var m *chat.Message
	if r, index, ok := st.find(e.ref.MessageID); ok {
		m = &r.messages[index]
	}
	return e.ref.Entry(e.id, e.attempts+1, at.Sub(e.written), c, m)
}

// Ack implements [realtime.Outbox].
func (s *Store) Ack(ctx context.Context, ids ...int64) error {
	return s.update(ctx, func(st *state) error {
		st.drop(func(e entry) bool { return slices.Contains(ids, e.id) })
		return nil
	})
}

// AckThrough implements [realtime.Outbox].
func (s *Store) AckThrough(ctx context.Context, ch realtime.Channel, rev int64) error {
	name, ok := consultation.FromChannel(string(ch))
	if !ok || name.Kind != realtime.KindPrivate {
		return alive(ctx)
	}
	return s.update(ctx, func(st *state) error {
		st.drop(func(e entry) bool {
			return !e.parked && e.ref.ConsultationID == name.ID && e.ref.Rev <= rev && e.ref.Event != consultation.ReferenceLeft
		})
		return nil
	})
}

// Nack implements [realtime.Outbox].
func (s *Store) Nack(ctx context.Context, p realtime.NackParams) error {
	return s.update(ctx, func(st *state) error {
		due := now().Add(p.Delay)
		for i := range *st.editQueue() {
			if e := &st.queue[i]; slices.Contains(p.IDs, e.id) {
				e.due, e.parked, e.reason = due, p.Park, p.Reason
			}
		}
		return nil
	})
}

// Purge implements [realtime.Outbox].
func (s *Store) Purge(ctx context.Context, p realtime.PurgeParams) (int64, error) {
	var n int64
	err := s.update(ctx, func(st *state) error {
		at := now()
		old := func(e entry) bool {
			if e.parked {
				return at.Sub(e.written) > p.Parked
			}
			return at.Sub(e.written) > p.Pending
		}
		type kind struct {
			id   consultation.ID
			left bool
		}
		kindOf := func(e entry) kind {
			return kind{e.ref.ConsultationID, e.ref.Event == consultation.ReferenceLeft}
		}
		newest := map[kind]entry{} // of the old entries that are pending
		for _, e := range st.entries() {
			last, found := newest[kindOf(e)]
			newer := cmp.Or(cmp.Compare(e.ref.Rev, last.ref.Rev), cmp.Compare(e.id, last.id)) > 0
			if !e.parked && old(e) && (!found || newer) {
				newest[kindOf(e)] = e
			}
		}
		n = 0
		st.drop(func(e entry) bool {
			gone := old(e) && (e.parked || newest[kindOf(e)].id != e.id)
			if gone {
				n++
			}
			return gone
		})
		return nil
	})
	return n, err
}

// Backlog implements [realtime.Outbox].
func (s *Store) Backlog(ctx context.Context) (realtime.Backlog, error) {
	var b realtime.Backlog
	err := s.view(ctx, func(st *state) error {
		for _, e := range st.entries() {
			switch {
			case e.parked:
				b.Parked++
			default:
				b.Pending++
				b.OldestAge = max(b.OldestAge, now().Sub(e.written))
			}
		}
		return nil
	})
	return b, err
}

// entries returns the queue for reading.
func (st *state) entries() []entry {
	if st.parent != nil && !st.queued {
		return st.parent.queue
	}
	return st.queue
}

// editQueue returns the queue for writing.
func (st *state) editQueue() *[]entry {
	if st.parent != nil && !st.queued {
		st.queue, st.queued = slices.Clone(st.parent.queue), true
	}
	return &st.queue
}

func (st *state) drop(gone func(e entry) bool) {
	queue := st.editQueue()
	*queue = slices.DeleteFunc(*queue, gone)
}
