package storagetest

import (
	"time"

	"github.com/murph-chat/murph/realtime"
)

func purgeCases() []testCase {
	return []testCase{{
		name:     "outbox/purge",
		contract: outbox,
		clauses: says(
			"Purge removes the pending entries and the parked ones that are older than it says, counted from when they were "+
				"written, and returns how many.",
			"PurgeParams says which entries [Outbox.Purge] removes, by their age.",
		),
		run: func(e *env) {
			e.start(room)
			ids := entriesOf(e.enqueue(room, 5, 0))
			e.enqueue(room, 1, forever)
			e.nack(realtime.NackParams{IDs: ids[:2], Park: true, Reason: "poison"})
			tick()
			for _, step := range []struct {
				what            string
				pending, parked time.Duration
				gone            int64
				left, leftAside int64
			}{
				{"of nothing", forever, forever, 0, 4, 2},
				{"of the parked ones", forever, 0, 2, 4, 0},
				{"of all", 0, 0, 4, 0, 0},
				{"of an empty outbox", 0, 0, 0, 0, 0},
			} {
				n, err := e.store.Purge(e.ctx, realtime.PurgeParams{Pending: step.pending, Parked: step.parked})
				if err != nil || n != step.gone {
					e.Errorf("Purge %s = %d, %v; want %d", step.what, n, err, step.gone)
				}
				e.pending("after a purge "+step.what, step.left, step.leftAside)
			}
		},
	}}
}
