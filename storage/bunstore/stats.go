package bunstore

import "sync/atomic"

// Stats is what a [Store], with all that [Store.With] has made of it, has done since [New]. The pool of connections has
// figures of its own: [database/sql.DB.Stats].
type Stats struct {
	Statements uint64 // that were run, with each begin and commit of the store's own
	Failures   uint64 // statements that ended with an error, be it the caller's context
	Repeats    uint64 // tries after another transaction was in the way
	GivenUp    uint64 // calls that failed because others were in the way every time, or once in a transaction of the host's
}

type counters struct {
	statements, failures, repeats, givenUp atomic.Uint64

	unprepared atomic.Bool // a prepared statement was lost, see pooling
}

// Stats returns the current figures. It does not ask the database.
func (s *Store) Stats() Stats {
	return Stats{
		Statements: s.stats.statements.Load(),
		Failures:   s.stats.failures.Load(),
		Repeats:    s.stats.repeats.Load(),
		GivenUp:    s.stats.givenUp.Load(),
	}
}
