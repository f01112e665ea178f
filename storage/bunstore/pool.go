package bunstore

import "database/sql"

// MaxReads returns how many reads at once leave connections of the pool to
// writes: half of the pool, or all of Options.Reader, which has reads only. It
// returns 0 if the pool has no limit. httpadapter takes its default from it.
func (s *Store) MaxReads() int {
	pool, ok := s.read.(*sql.DB)
	if !ok {
		return 0
	}
	n := pool.Stats().MaxOpenConnections
	if n <= 0 || s.opts.Reader != nil {
		return n
	}
	return max(1, n/2)
}
