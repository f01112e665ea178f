package storagetest

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// follow polls Changes of the room, as a client does, until it is complete up to the rev that end returns and that is
// not 0. Only messages are appended meanwhile, from the rev first on, so that each page has to continue where the one
// before has ended: what becomes visible behind the cursor would be lost for ever. It calls read after each page.
func (e *env) follow(first int64, read func(), end func() int64) {
	next := first - 1
	for ; e.ctx.Err() == nil; read() {
		page, err := e.store.Changes(e.ctx, chat.ChangesParams{
			ConsultationID: room, Viewer: patient.UserID, Since: next, Limit: 7, MaxBehind: 1_000_000,
		})
		if err != nil {
			e.Errorf("Changes: %v", err)
			return
		}
		for _, m := range page.Messages {
			if next++; m.Rev != next || m.Seq != next {
				e.Errorf("a reader who is complete up to %d sees rev %d and seq %d next", next-1, m.Rev, m.Seq)
				return
			}
		}
		if page.NextSince != next {
			e.Errorf("NextSince is %d after a page that ends at %d: what is between is lost", page.NextSince, next)
			return
		}
		if !page.HasMore && page.Consultation.Rev != next {
			e.Errorf("the header is at rev %d and the messages end at %d: they are from two snapshots", page.Consultation.Rev, next)
			return
		}
		if next == end() {
			return
		}
	}
	e.Error("the reader does not see all that was stored")
}

// reread polls the newest page of the room until done, and checks that the header belongs to it.
func (e *env) reread(read func(), done func() bool) {
	for ; !done() && e.ctx.Err() == nil; read() {
		page, err := e.store.History(e.ctx, chat.HistoryParams{ConsultationID: room, Viewer: student.UserID, Limit: 3})
		if err != nil {
			e.Errorf("History: %v", err)
			return
		}
		if n := len(page.Messages); n > 0 && page.Messages[n-1].Rev != page.Consultation.Rev {
			e.Errorf("the header is at rev %d and the newest message at %d: they are from two snapshots",
				page.Consultation.Rev, page.Messages[n-1].Rev)
			return
		}
	}
}

// beat lets writers keep step with a reader, so that on the fastest store too they work at the same time.
type beat struct {
	mu   sync.Mutex // guards both
	next chan struct{}
	over bool
}

func newBeat() *beat { return &beat{next: make(chan struct{})} }

// strike says that the reader has read another page.
func (b *beat) strike() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		close(b.next)
		b.next = make(chan struct{})
	}
}

// end says that the reader reads no more.
func (b *beat) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		close(b.next)
		b.over = true
	}
}

// after returns a channel that is closed once the reader has read another page.
func (b *beat) after() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.next
}

// inStep calls write n times, waiting for the reader before each.
func (e *env) inStep(b *beat, n int, write func(n int) error) {
	next := b.after()
	for i := range n {
		select {
		case <-next:
		case <-e.ctx.Done():
		}
		next = b.after()
		if err := write(i); err != nil {
			e.Errorf("a writer: %v", err)
		}
	}
}

// appendAndFollow lets writers append to the room at once while two readers follow. write appends one message.
func (e *env) appendAndFollow(writers, each int, write func(i, n int) error) {
	e.Helper()
	first := e.start(room).Rev + 1
	var left, last atomic.Int64
	left.Store(int64(writers))
	follower, rereader := newBeat(), newBeat()
	e.parallel(writers+2, func(i int) {
		switch i {
		case writers:
			defer follower.end()
			e.follow(first, follower.strike, last.Load)
			return
		case writers + 1:
			defer rereader.end()
			e.reread(rereader.strike, func() bool { return last.Load() != 0 })
			return
		}
		reader := follower // while its writers wait for one reader, those of the other go on
		if i%2 == 1 {
			reader = rereader
		}
		e.inStep(reader, each, func(n int) error { return write(i, n) })
		if left.Add(-1) == 0 {
			c, err := e.store.Consultation(e.ctx, room, "")
			if err != nil {
				e.Errorf("Consultation: %v", err)
			}
			last.Store(max(c.Rev, first-1))
		}
	})
}

func orderCases() []testCase {
	const (
		order  = "The order of Seq is the order in which the messages become visible to readers."
		prefix = "Page is a consultation's header and some of its messages, from one snapshot."
	)
	return []testCase{{
		name:     "order/appends",
		contract: messages,
		clauses:  says(order, prefix, "No rev is left out."),
		run: func(e *env) {
			const writers, each = 6, 20
			e.appendAndFollow(writers, each, func(i, n int) error {
				_, err := e.store.Append(e.ctx, e.message([]consultation.Participant{patient, student}[i%2], fmt.Sprint(n)))
				return err
			})
			e.contiguous(3, writers*each)
		},
	}, {
		name:     "order/transactions",
		contract: messages,
		tx:       true,
		clauses:  says(order, prefix, "No rev is left out."),
		run: func(e *env) {
			const writers, each = 4, 10
			e.appendAndFollow(writers, each, func(i, n int) error {
				if n%3 == 1 {
					_, err := e.store.Append(e.ctx, e.message(patient, fmt.Sprint(n)))
					return err
				}
				rollback := n%5 == 0
				err := e.inTx(func(tx Store) error {
					_, err := tx.Append(e.ctx, e.message(student, fmt.Sprint(n)))
					if err == nil && rollback {
						err = errRollback
					}
					for range i { // hold the lock for a while
						runtime.Gosched()
					}
					return err
				})
				if rollback && errors.Is(err, errRollback) {
					return nil
				}
				return err
			})
			e.contiguous(3, writers*(each-2))
		},
	}, {
		name:     "order/edits",
		contract: messages,
		clauses: says(
			"Changes returns the messages whose Rev is above Since in their current form, in ascending order of Rev, at most Limit.",
			prefix,
		),
		run: func(e *env) {
			const writers, each = 4, 12
			e.start(room)
			var ms []chat.Message
			for range writers {
				ms = append(ms, e.send(patient, "first"))
			}
			var left atomic.Int64
			left.Store(writers)
			reader := newBeat()
			e.parallel(writers+1, func(i int) {
				if i == writers {
					defer reader.end()
					e.mirror(reader.strike, func() bool { return left.Load() == 0 })
					return
				}
				defer left.Add(-1)
				e.inStep(reader, each, func(n int) error {
					p := chat.EditParams{ID: ms[i].ID, By: patient.UserID, Content: fmt.Sprint(n), Window: -1}
					_, err := e.store.Edit(e.ctx, p)
					return err
				})
			})
			if rev := e.consultation().Rev; rev != 2+writers+writers*each {
				e.Errorf("the consultation's rev is %d, want %d", rev, 2+writers+writers*each)
			}
		},
	}}
}

// mirror keeps a copy of the room by following Changes while messages are edited, and compares it with the history once
// the writers are done.
func (e *env) mirror(read func(), done func() bool) {
	copied := map[chat.MessageID]chat.Message{}
	next, caughtUp := int64(0), false
	for e.ctx.Err() == nil {
		if caughtUp {
			read()
		}
		last := done()
		page, err := e.store.Changes(e.ctx, chat.ChangesParams{
			ConsultationID: room, Viewer: patient.UserID, Since: next, Limit: 3, MaxBehind: 1_000_000,
		})
		if err != nil {
			e.Errorf("Changes: %v", err)
			return
		}
		for _, m := range page.Messages {
			if m.Rev <= next || m.Rev > page.Consultation.Rev {
				e.Errorf("a page since %d with the header at %d has a message with rev %d", next, page.Consultation.Rev, m.Rev)
				return
			}
			next, copied[m.ID] = m.Rev, m
		}
		next, caughtUp = page.NextSince, !page.HasMore
		if last && !page.HasMore {
			break
		}
	}
	page, err := e.store.History(e.ctx, chat.HistoryParams{ConsultationID: room, Viewer: patient.UserID, Limit: 1000})
	if err != nil {
		e.Errorf("History: %v", err)
		return
	}
	for _, m := range page.Messages {
		e.same("a message that was followed", copied[m.ID], m)
	}
}
