package realtime_test

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// queue is an outbox of events that have no store behind them. Every channel has a counter, as a consultation has.
type queue struct {
	mu      sync.Mutex // guards what is below
	rows    map[int64]*row
	byDue   dueHeap // may hold what is gone or due at another time by now
	byName  map[realtime.Channel][]int64
	lastID  int64
	revs    map[realtime.Channel]int64
	parked  map[int64]string
	claims  int
	acks    int
	failing error         // returned by every method while set
	hanging string        // the method that does not answer, or ""
	deaf    chan struct{} // while set, the end of a context does not end a hanging call, but closing deaf does
}

// hang makes the method hang from now on; "" ends that for new calls.
func (q *queue) hang(method string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hanging = method
}

// answer hangs if the method is told to, and returns the error that it has to.
func (q *queue) answer(ctx context.Context, method string) error {
	q.mu.Lock()
	hangs, deaf, failing := q.hanging == method, q.deaf, q.failing
	q.mu.Unlock()
	switch {
	case hangs && deaf != nil:
		<-deaf
	case hangs:
		<-ctx.Done()
	}
	return cmp.Or(ctx.Err(), failing)
}

// dueHeap gives out rows by the time when they are due.
type dueHeap []dueRow

type dueRow struct {
	due time.Time
	id  int64
}

func (h dueHeap) Len() int { return len(h) }
func (h dueHeap) Less(i, j int) bool {
	return cmp.Or(h[i].due.Compare(h[j].due), cmp.Compare(h[i].id, h[j].id)) < 0
}
func (h dueHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)   { *h = append(*h, x.(dueRow)) }
func (h *dueHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// schedule sets when the row is due.
func (q *queue) schedule(r *row, due time.Time) {
	r.due = due
	heap.Push(&q.byDue, dueRow{due, r.id})
}

type row struct {
	id        int64
	rev       int64
	event     realtime.Event
	attempts  int
	left      []realtime.Event
	due, born time.Time
}

func newQueue() *queue {
	return &queue{rows: map[int64]*row{}, byName: map[realtime.Channel][]int64{}, revs: map[realtime.Channel]int64{}, parked: map[int64]string{}}
}

// add writes an entry as a store does, and returns its id and event.
func (q *queue) add(ch realtime.Channel, lease time.Duration) (int64, realtime.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lastID++
	q.revs[ch]++
	ev := realtime.Event{Channel: ch, Name: "new-message", Data: []byte(strconv.FormatInt(q.revs[ch], 10))}
	q.rows[q.lastID] = &row{id: q.lastID, rev: q.revs[ch], event: ev, born: time.Now()}
	q.schedule(q.rows[q.lastID], time.Now().Add(lease))
	q.byName[ch] = append(q.byName[ch], q.lastID)
	return q.lastID, ev
}

// addThin writes an entry that is due, whose event has a thin form.
func (q *queue) addThin(ch realtime.Channel) {
	id, _ := q.add(ch, 0)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rows[id].event.Thin = []byte(`"thin"`)
}

// addLeft writes an entry for the notices to channels that were left.
func (q *queue) addLeft(ch realtime.Channel, left ...realtime.Channel) int64 {
	id, _ := q.add(ch, 0)
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, name := range left {
		q.rows[id].left = append(q.rows[id].left, realtime.Event{Channel: name, Name: "left", Data: []byte("0")})
	}
	return id
}

func (q *queue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.failing = err
}

func (q *queue) Claim(ctx context.Context, p realtime.ClaimParams) ([]realtime.Entry, error) {
	if err := q.answer(ctx, "Claim"); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.claims++
	now := time.Now()
	var entries []realtime.Entry
	for len(entries) < p.Limit && len(q.byDue) > 0 && !q.byDue[0].due.After(now) {
		at := heap.Pop(&q.byDue).(dueRow)
		r := q.rows[at.id]
		if r == nil || q.parked[at.id] != "" || !r.due.Equal(at.due) {
			continue
		}
		r.attempts++
		q.schedule(r, now.Add(p.Lease))
		rev := q.revs[r.event.Channel]
		entries = append(entries, realtime.Entry{
			ID: r.id, Event: r.event, Left: r.left, Attempts: r.attempts, Age: now.Sub(r.born), ResyncRev: rev,
			Resync: realtime.Event{Channel: r.event.Channel, Name: "resync-required", Data: fmt.Append(nil, rev)},
		})
	}
	return entries, nil
}

func (q *queue) Ack(ctx context.Context, ids ...int64) error {
	if err := q.answer(ctx, "Ack"); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.acks++
	for _, id := range ids {
		delete(q.rows, id)
	}
	return nil
}

func (q *queue) AckThrough(ctx context.Context, ch realtime.Channel, rev int64) error {
	if err := q.answer(ctx, "AckThrough"); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, id := range q.byName[ch] {
		if r := q.rows[id]; r != nil && r.rev <= rev && q.parked[id] == "" && r.left == nil {
			delete(q.rows, id)
		}
	}
	return nil
}

func (q *queue) Nack(ctx context.Context, p realtime.NackParams) error {
	if err := q.answer(ctx, "Nack"); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, id := range p.IDs {
		if p.Park {
			q.parked[id] = p.Reason
		} else if r := q.rows[id]; r != nil {
			q.schedule(r, time.Now().Add(p.Delay))
		}
	}
	return nil
}

func (q *queue) Purge(ctx context.Context, p realtime.PurgeParams) (int64, error) {
	if err := q.answer(ctx, "Purge"); err != nil {
		return 0, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	var n int64
	type kind struct {
		channel realtime.Channel
		left    bool
	}
	newest := map[kind]int64{} // of the pending entries that are too old
	for id, r := range q.rows {
		switch {
		case q.parked[id] != "" && time.Since(r.born) > p.Parked:
			delete(q.rows, id)
			delete(q.parked, id)
			n++
		case q.parked[id] == "" && time.Since(r.born) > p.Pending:
			k := kind{r.event.Channel, r.left != nil}
			last, found := newest[k]
			newest[k] = max(last, id)
			if found {
				delete(q.rows, min(last, id))
				n++
			}
		}
	}
	return n, nil
}

func (q *queue) Backlog(context.Context) (realtime.Backlog, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := realtime.Backlog{Parked: int64(len(q.parked))}
	for id, r := range q.rows {
		if q.parked[id] == "" {
			b.Pending++
			b.OldestAge = max(b.OldestAge, time.Since(r.born))
		}
	}
	return b, nil
}

// leased counts the rows that nobody may claim now.
func (q *queue) leased() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for id, r := range q.rows {
		if q.parked[id] == "" && r.due.After(time.Now()) {
			n++
		}
	}
	return n
}

// transport records what it is given and fails as it is told to.
type transport struct {
	mu     sync.Mutex // guards what is below
	got    []string
	answer func(ctx context.Context, ev realtime.Event) error
}

func (tr *transport) Broadcast(ctx context.Context, ev realtime.Event) error {
	tr.mu.Lock()
	answer := tr.answer
	tr.mu.Unlock()
	if answer != nil {
		if err := answer(ctx, ev); err != nil {
			return err
		}
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.got = append(tr.got, fmt.Sprintf("%s %s %s", ev.Channel, ev.Name, ev.Data))
	return nil
}

// answers sets what happens from now on; nil succeeds.
func (tr *transport) answers(f func(ctx context.Context, ev realtime.Event) error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.answer = f
}

// received returns what came on the channel, in order.
func (tr *transport) received(ch realtime.Channel) []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var got []string
	for _, line := range tr.got {
		if rest, ok := strings.CutPrefix(line, string(ch)+" "); ok {
			got = append(got, rest)
		}
	}
	return got
}

func (tr *transport) count() int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return len(tr.got)
}
