package storagetest

import (
	"time"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

func purgeCases() []testCase {
	return []testCase{{
		name:     "outbox/purge",
		contract: outbox,
		clauses: says(
			"Purge removes the parked entries that are older than it says, counted from when they were written, and returns "+
				"how many it removed.",
			"Of the pending entries that are older it removes all but the newest of each channel and the newest of those "+
				"with Left, so that no channel loses the resync that is still due.",
			"PurgeParams says which entries [Outbox.Purge] removes, by their age.",
		),
		run: func(e *env) {
			e.start(room)
			e.start("second")
			first := entriesOf(e.enqueue(room, 5, 0))
			second := entriesOf(e.enqueue("second", 2, 0))
			e.nack(realtime.NackParams{IDs: []int64{first[0], first[4]}, Park: true, Reason: "poison"})
			tick()
			for _, step := range []struct {
				what            string
				pending, parked time.Duration
				gone            int64
				left, leftAside int64
			}{
				{"of nothing", forever, forever, 0, 5, 2},
				{"of the parked ones", forever, 0, 2, 5, 0},
				{"of all", 0, 0, 3, 2, 0},
				{"of the newest of each channel", 0, 0, 0, 2, 0},
			} {
				n, err := e.store.Purge(e.ctx, realtime.PurgeParams{Pending: step.pending, Parked: step.parked})
				if err != nil || n != step.gone {
					e.Errorf("Purge %s = %d, %v; want %d", step.what, n, err, step.gone)
				}
				e.pending("after a purge "+step.what, step.left, step.leftAside)
			}
			e.claims("after a purge of all", 10, first[3], second[1])
			e.ack(first[3], second[1])
			if n, err := e.store.Purge(e.ctx, realtime.PurgeParams{}); n != 0 || err != nil {
				e.Errorf("Purge of an empty outbox = %d, %v; want 0", n, err)
			}
		},
	}, {
		name:     "outbox/purge-left",
		contract: outbox,
		clauses: says(
			"Of the pending entries that are older it removes all but the newest of each channel and the newest of those with Left",
		),
		run: func(e *env) {
			e.create(room)
			changes := []consultation.Change{accept(room, student), reassign(room, other), reassign(room, student)}
			for _, ch := range changes {
				if _, err := e.store.Change(e.ctx, consultation.ChangeParams{Change: ch, Enqueue: &realtime.Enqueue{}}); err != nil {
					e.Fatal(err)
				}
			}
			last := entriesOf(e.enqueue(room, 2, 0))[1]
			e.pending("of all entries", 8, 0)
			tick()
			if n, err := e.store.Purge(e.ctx, realtime.PurgeParams{Parked: forever}); n != 6 || err != nil {
				e.Errorf("Purge = %d, %v; want 6", n, err)
			}
			entries := e.claim(10, forever)
			if len(entries) != 2 || len(entries[0].Left) != 2 || entries[1].ID != last {
				e.Errorf("Claim after a purge = %+v, want one entry with Left and the entry %d", entries, last)
			}
		},
	}}
}
