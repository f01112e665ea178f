package storagetest

import (
	"time"

	"github.com/murph-chat/murph/realtime"
)

func leaseCases() []testCase {
	return []testCase{{
		name:     "lease/writer",
		contract: outbox,
		clauses: says(
			"Lease is how long the entry belongs to the writer, counted on the store's clock: the writer publishes it itself right "+
				"after the commit, and only when the lease has run out may Claim hand it to anybody.",
			"Zero makes the entry claimable at once.",
			"All times are measured on the store's clock.",
		),
		run: func(e *env) {
			e.start(room)
			long := entriesOf(e.enqueue(room, 1, forever))
			e.claims("of an entry that is leased to its writer", 10)
			e.pending("of an entry that is leased to its writer", 1, 0)
			none := entriesOf(e.enqueue(room, 1, 0))
			e.claims("of an entry without a lease", 10, none...)
			short := entriesOf(e.enqueue(room, 1, time.Microsecond))
			if got := e.await(10, forever); len(got) != 1 || got[0].ID != short[0] || got[0].Attempts != 1 {
				e.Errorf("Claim of an entry whose lease has run out = %+v, want entry %d at its first attempt", got, short[0])
			}
			e.nack(realtime.NackParams{IDs: long})
			e.claims("of an entry that its writer gives back", 10, long...)
		},
	}, {
		name:     "lease/expiry",
		contract: outbox,
		clauses: says(
			"A lease that runs out makes the entry claimable again.",
			"Attempts counts the claims of this entry, this one included.",
		),
		run: func(e *env) {
			e.start(room)
			ids := entriesOf(e.enqueue(room, 1, 0))
			for attempt, lease := range []time.Duration{0, time.Microsecond, -time.Hour, time.Microsecond, forever} {
				got := e.await(10, lease)
				if len(got) != 1 || got[0].ID != ids[0] || got[0].Attempts != attempt+1 {
					e.Fatalf("Claim number %d = %+v, want entry %d with that many attempts", attempt+1, got, ids[0])
				}
			}
			e.claims("within the last lease", 10)
			e.nack(realtime.NackParams{IDs: ids})
			if got := e.claims("after Nack", 10, ids...); len(got) == 1 && got[0].Attempts != 6 {
				e.Errorf("Attempts after Nack is %d, want 6", got[0].Attempts)
			}
		},
	}, {
		name:     "lease/age",
		contract: outbox,
		clauses:  says("Age is the time since the entry was written, on the store's clock."),
		run: func(e *env) {
			e.start(room)
			start := time.Now()
			e.enqueue(room, 1, 0)
			last := time.Duration(-1)
			for range 3 {
				got := e.await(1, 0)
				e.ageIsSane("Age", got[0].Age, start)
				if got[0].Age <= last {
					e.Errorf("Age goes from %v to %v, want it to grow", last, got[0].Age)
				}
				last = got[0].Age
				e.nack(realtime.NackParams{IDs: idsOfEntries(got)})
				tick()
			}
		},
	}}
}
