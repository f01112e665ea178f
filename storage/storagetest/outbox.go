package storagetest

import (
	"slices"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

func (e *env) claim(limit int, lease time.Duration) []realtime.Entry {
	e.Helper()
	entries, err := e.store.Claim(e.ctx, realtime.ClaimParams{Limit: limit, Lease: lease})
	if err != nil {
		e.Fatalf("Claim: %v", err)
	}
	return entries
}

func (e *env) nack(p realtime.NackParams) {
	e.Helper()
	if err := e.store.Nack(e.ctx, p); err != nil {
		e.Fatalf("Nack: %v", err)
	}
}

// enqueue stores n messages in a consultation, each with an entry that is leased to its writer for so long.
func (e *env) enqueue(id consultation.ID, n int, lease time.Duration) []chat.Appended {
	e.Helper()
	var all []chat.Appended
	for range n {
		p := e.message(patient, "hello")
		p.ConsultationID, p.Enqueue = id, &realtime.Enqueue{Lease: lease}
		all = append(all, e.append(p))
	}
	return all
}

func entriesOf(all []chat.Appended) []int64 {
	ids := make([]int64, len(all))
	for i, a := range all {
		ids[i] = a.Entry
	}
	return ids
}

func idsOfEntries(entries []realtime.Entry) []int64 {
	ids := make([]int64, len(entries))
	for i, entry := range entries {
		ids[i] = entry.ID
	}
	return ids
}

// claims fails the case unless Claim returns exactly these entries, in this order, and leases them for good.
func (e *env) claims(what string, limit int, want ...int64) []realtime.Entry {
	e.Helper()
	entries := e.claim(limit, forever)
	if got := idsOfEntries(entries); !slices.Equal(got, want) {
		e.Errorf("Claim %s = %v, want %v", what, got, want)
	}
	return entries
}

// pending fails the case unless so many entries wait or are leased, and so many are parked.
func (e *env) pending(what string, pending, parked int64) {
	e.Helper()
	if b := e.backlog(); b.Pending != pending || b.Parked != parked {
		e.Errorf("Backlog %s: %d pending and %d parked, want %d and %d", what, b.Pending, b.Parked, pending, parked)
	}
}

func outboxCases() []testCase {
	return []testCase{{
		name:     "outbox/order",
		contract: outbox,
		clauses: says(
			"Claim leases up to Limit entries whose time has come, oldest first, and never hands one entry to two callers within its lease.",
		),
		run: func(e *env) {
			e.start(room)
			e.start("second")
			e.claims("of an empty outbox", 10)
			ids := entriesOf(e.enqueue(room, 2, 0))
			ids = append(ids, entriesOf(e.enqueue("second", 2, 0))...)
			ids = append(ids, entriesOf(e.enqueue(room, 1, 0))...)
			e.claims("of the first two", 2, ids[0], ids[1])
			e.claims("of the next two", 2, ids[2], ids[3])
			e.claims("of the last", 2, ids[4])
			e.claims("when all are leased", 2)
			e.pending("of leased entries", 5, 0)
		},
	}, {
		name:     "outbox/nack",
		contract: outbox,
		clauses: says(
			"Nack makes entries claimable after Delay, or parks them; ids that do not exist are ignored.",
			"Delay is the time until they may be claimed again, on the store's clock.",
		),
		run: func(e *env) {
			e.start(room)
			ids := entriesOf(e.enqueue(room, 4, 0))
			e.claims("of all", 10, ids...)
			e.nack(realtime.NackParams{IDs: []int64{ids[0], ids[2]}})
			e.claims("after Nack without delay", 10, ids[0], ids[2])
			e.nack(realtime.NackParams{IDs: []int64{ids[0]}, Delay: forever})
			e.nack(realtime.NackParams{IDs: []int64{ids[1], ids[3] + 1_000, 0, -1}})
			e.nack(realtime.NackParams{})
			e.claims("after Nack with and without delay", 10, ids[1])
			e.nack(realtime.NackParams{IDs: ids[3:], Delay: time.Microsecond})
			if got := e.await(10, forever); !slices.Equal(idsOfEntries(got), ids[3:]) {
				e.Errorf("Claim after a short delay = %v, want %v", idsOfEntries(got), ids[3:])
			}
			e.pending("after Nack", 4, 0)
		},
	}, {
		name:     "outbox/park",
		contract: outbox,
		clauses: says(
			"Park sets them aside for a human, with Reason; they are not claimed again.",
			"Ignored when Park is set.",
		),
		run: func(e *env) {
			e.start(room)
			ids := entriesOf(e.enqueue(room, 3, 0))
			e.claims("of all", 10, ids...)
			e.nack(realtime.NackParams{IDs: []int64{ids[0], 0}, Park: true, Reason: "too large: 'ä' $1 ?"})
			e.nack(realtime.NackParams{IDs: []int64{ids[1]}, Park: true, Delay: -forever})
			e.pending("after two were parked", 1, 2)
			e.nack(realtime.NackParams{IDs: ids[2:]})
			e.claims("after two were parked", 10, ids[2])
			e.ack(ids...)
			e.pending("after the parked ones were acknowledged", 0, 0)
		},
	}, {
		name:     "outbox/backlog",
		contract: outbox,
		clauses: says(
			"Backlog describes the outbox at one moment, on the store's clock.",
			"entries waiting or leased",
			"entries set aside",
			"age of the oldest pending entry, 0 if there is none",
		),
		run: func(e *env) {
			if b := e.backlog(); b != (realtime.Backlog{}) {
				e.Errorf("the backlog of an empty outbox is %+v", b)
			}
			e.start(room)
			start := time.Now()
			ids := entriesOf(e.enqueue(room, 2, forever))
			tick()
			first := e.backlog()
			if first.Pending != 2 || first.OldestAge <= 0 {
				e.Errorf("the backlog of two leased entries is %+v, want 2 pending of some age", first)
			}
			e.ageIsSane("OldestAge", first.OldestAge, start)
			tick()
			if second := e.backlog(); second.OldestAge <= first.OldestAge {
				e.Errorf("OldestAge goes from %v to %v, want it to grow", first.OldestAge, second.OldestAge)
			}
			e.nack(realtime.NackParams{IDs: ids, Park: true, Reason: "poison"})
			if b := e.backlog(); b != (realtime.Backlog{Parked: 2}) {
				e.Errorf("the backlog of two parked entries is %+v, want them parked and no age", b)
			}
		},
	}, {
		name:     "outbox/race",
		contract: outbox,
		clauses: says(
			"never hands one entry to two callers within its lease.",
			"It is safe for concurrent use, by several processes too where the database is shared.",
		),
		run: func(e *env) {
			const n = 60
			e.start(room)
			want := entriesOf(e.enqueue(room, n, 0))
			got := make([][]int64, 6)
			e.parallel(len(got), func(i int) {
				for len(got[i]) < n {
					entries, err := e.store.Claim(e.ctx, realtime.ClaimParams{Limit: 3, Lease: forever})
					if err != nil {
						e.Errorf("Claim: %v", err)
						return
					}
					if len(entries) == 0 {
						return
					}
					ids := idsOfEntries(entries)
					got[i] = append(got[i], ids...)
					if err := e.store.Ack(e.ctx, ids[0]); err != nil {
						e.Errorf("Ack: %v", err)
					}
				}
			})
			all := slices.Concat(got...)
			all = append(all, idsOfEntries(e.claim(n, forever))...) // a claim may have found all due entries locked by others
			slices.Sort(all)
			if !slices.Equal(all, want) {
				e.Errorf("six claimers got %d entries between them, want each of the %d once: %v", len(all), n, all)
			}
		},
	}}
}

// ageIsSane fails the case if something that was written since start has an age that no clock explains.
func (e *env) ageIsSane(what string, age time.Duration, start time.Time) {
	e.Helper()
	if limit := time.Since(start) + time.Second; age < 0 || age > limit {
		e.Errorf("%s is %v, want 0 to %v", what, age, limit)
	}
}

// await claims until there is something to claim, which is soon.
func (e *env) await(limit int, lease time.Duration) []realtime.Entry {
	e.Helper()
	for start := time.Now(); time.Since(start) < soon; {
		if entries := e.claim(limit, lease); len(entries) > 0 {
			return entries
		}
	}
	e.Fatal("the entry does not become claimable")
	return nil
}
