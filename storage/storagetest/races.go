package storagetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// parallel runs fn n times at once and waits for all of them.
func (e *env) parallel(n int, fn func(i int)) {
	e.Helper()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	wg.Wait()
}

// contiguous fails the case unless the room holds n messages whose seqs and revs go up by one from first.
func (e *env) contiguous(first int64, n int) {
	e.Helper()
	page := e.history()
	if len(page.Messages) != n {
		e.Errorf("%d messages are stored, want %d", len(page.Messages), n)
	}
	for i, m := range page.Messages {
		if want := first + int64(i); m.Seq != want || m.Rev != want {
			e.Errorf("message number %d has seq %d and rev %d, want %d", i+1, m.Seq, m.Rev, want)
			break
		}
	}
	if want := first + int64(n) - 1; page.Consultation.Rev != want {
		e.Errorf("the consultation's rev is %d, want %d", page.Consultation.Rev, want)
	}
}

// repeats sends each key with its text from several callers at once, and checks that all answers agree.
func (e *env) repeats(times, keys int, send func(p chat.AppendParams) (chat.Appended, error)) {
	e.Helper()
	first := e.consultation().Rev + 1
	var (
		mu      sync.Mutex
		answers = map[string][]chat.Appended{}
	)
	one := func(key int) {
		p := e.message(patient, fmt.Sprintf("text of key %d", key))
		p.ClientMessageID = fmt.Sprintf("key-%d", key)
		p.Enqueue = &realtime.Enqueue{}
		done, err := send(p)
		if err != nil {
			e.Errorf("Append: %v", err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		answers[p.ClientMessageID] = append(answers[p.ClientMessageID], done)
	}
	half := keys / 2
	for k := range half { // all callers at one key
		e.parallel(times, func(int) { one(k) })
	}
	e.parallel(times, func(i int) { // each at another one
		for k := range keys - half {
			one(half + (k+i)%(keys-half))
		}
	})
	for k, list := range answers {
		created := 0
		for _, a := range list {
			e.same("the answers for "+k, a.Message, list[0].Message)
			if !a.Replayed {
				created++
			}
			if (a.Entry != 0) == a.Replayed {
				e.Errorf("an answer for %s has Replayed %v and Entry %d", k, a.Replayed, a.Entry)
			}
		}
		if created != 1 || len(list) != times {
			e.Errorf("of %d answers for %s %d are new, want 1 of %d", len(list), k, created, times)
		}
	}
	e.contiguous(first, keys)
	e.pending("of the messages", int64(keys), 0)
}

// sendsRacing lets a hundred sends by ten callers race one change, and checks every answer; refused tells whether an error
// is the right one. The last send of each starts when the change has returned, and so must not be stored.
func (e *env) sendsRacing(sender consultation.Participant, ch consultation.Change, refused func(err error) bool) {
	e.Helper()
	const workers, each = 10, 10
	var (
		returned   atomic.Bool
		late, sent atomic.Int64
		rev        int64
		under      = make(chan struct{}) // closed once the sends are under way
		ended      = make(chan struct{}) // closed once the change has returned
		once       sync.Once
	)
	e.parallel(workers+1, func(i int) {
		if i == workers {
			<-under
			defer close(ended)
			done, err := e.store.Change(e.ctx, consultation.ChangeParams{Change: ch})
			if err != nil {
				e.Errorf("Change: %v", err)
				return
			}
			returned.Store(true)
			rev = done.Consultation.Rev
			return
		}
		for n := range each {
			if n == each-1 {
				<-ended
			}
			after := returned.Load()
			_, err := e.store.Append(e.ctx, e.message(sender, fmt.Sprintf("%d/%d", i, n)))
			once.Do(func() { close(under) })
			switch {
			case err == nil && after:
				late.Add(1)
			case err == nil:
				sent.Add(1)
			case !refused(err):
				e.Errorf("Append: %v, want it stored or refused", err)
			}
		}
	})
	if rev == 0 {
		return
	}
	if n := late.Load(); n > 0 {
		e.Errorf("%d messages were stored that were sent after Change had returned", n)
	}
	if _, err := e.store.Append(e.ctx, e.message(sender, "at last")); !refused(err) {
		e.Errorf("Append after the race: %v, want it refused", err)
	}
	page := e.history()
	for _, m := range page.Messages {
		if m.Seq > rev {
			e.Errorf("a message has seq %d, after the change at %d", m.Seq, rev)
			break
		}
	}
	if got := int64(len(page.Messages)); got != sent.Load() {
		e.Errorf("%d messages are stored, but %d sends were answered so", got, sent.Load())
	}
	if want := 3 + sent.Load(); page.Consultation.Rev != want {
		e.Errorf("the consultation's rev is %d, want %d", page.Consultation.Rev, want)
	}
}

func raceCases() []testCase {
	const final = "From the moment that Change has returned, a student who was replaced, and everybody in a consultation that has ended, " +
		"can store no message."
	return []testCase{{
		name:     "race/repeats",
		contract: messages,
		clauses:  says("Concurrent calls with one ClientMessageID store one message, and all of them return it.", "No rev is left out."),
		run: func(e *env) {
			e.start(room)
			e.repeats(8, 12, func(p chat.AppendParams) (chat.Appended, error) { return e.store.Append(e.ctx, p) })
		},
	}, {
		name:     "race/complete",
		contract: consultations,
		clauses:  says(final),
		run: func(e *env) {
			e.start(room)
			e.sendsRacing(patient, complete(room), func(err error) bool {
				var is *consultation.NotActiveError
				return errors.As(err, &is) && is.Status == consultation.StatusCompleted
			})
		},
	}, {
		name:     "race/reassign",
		contract: consultations,
		clauses:  says(final),
		run: func(e *env) {
			e.start(room)
			e.sendsRacing(student, reassign(room, other), func(err error) bool {
				return errors.Is(err, consultation.ErrNotParticipant)
			})
		},
	}, {
		name:     "race/accept",
		contract: consultations,
		clauses: says(
			"Change locks the consultation's row, calls [Change.Apply] with it and the store's clock, and stores the result",
			"All methods are safe for concurrent use",
		),
		run: func(e *env) {
			students := []consultation.Participant{student, other, stranger}
			for round := range 5 {
				id := consultation.ID(fmt.Sprintf("room-%d", round))
				e.create(id)
				var winners [3]bool
				e.parallel(len(students), func(i int) {
					_, err := e.store.Change(e.ctx, consultation.ChangeParams{Change: accept(id, students[i]), Enqueue: &realtime.Enqueue{}})
					if winners[i] = err == nil; !winners[i] {
						e.conflict("Change that was too late", err, consultation.StatusInProgress)
					}
				})
				c, err := e.store.Consultation(e.ctx, id, "")
				if err != nil {
					e.Fatal(err)
				}
				for i, s := range students {
					if c.Student == nil || winners[i] != (c.Student.UserID == s.UserID) {
						e.Errorf("%s was told %v, but the assigned student is %+v", s.UserID, winners[i], c.Student)
					}
				}
				if c.Rev != 2 {
					e.Errorf("rev is %d after one acceptance, want 2", c.Rev)
				}
			}
			e.pending("of five acceptances", 10, 0)
		},
	}, {
		name:     "race/create",
		contract: consultations,
		clauses:  says("An id that is taken gives [ErrExists]."),
		run: func(e *env) {
			var made atomic.Int64
			e.parallel(6, func(i int) {
				_, err := e.store.Create(e.ctx, consultation.CreateParams{ID: room, Topic: fmt.Sprint(i), Patient: patient})
				if err == nil {
					made.Add(1)
				} else {
					e.isErr("Create that was too late", err, consultation.ErrExists)
				}
			})
			if made.Load() != 1 {
				e.Errorf("%d of six calls of Create with one id have made it, want 1", made.Load())
			}
		},
	}, {
		name:     "race/edit",
		contract: messages,
		clauses:  says("An IfRev that is not the message's gives a [*StaleError]"),
		run: func(e *env) {
			e.start(room)
			for range 5 {
				m := e.send(patient, "first")
				var stored atomic.Int64
				e.parallel(4, func(i int) {
					p := chat.EditParams{ID: m.ID, By: patient.UserID, Content: fmt.Sprintf("edit %d", i), IfRev: m.Rev, Window: -1}
					done, err := e.store.Edit(e.ctx, p)
					if err == nil {
						stored.Store(done.Message.Rev)
					} else {
						e.isStale("Edit that was too late", err, m.Rev+1)
					}
				})
				if stored.Load() != m.Rev+1 || e.consultation().Rev != m.Rev+1 {
					e.Errorf("after one of four edits of rev %d won, the message is at %d and the consultation at %d",
						m.Rev, stored.Load(), e.consultation().Rev)
				}
			}
		},
	}}
}
