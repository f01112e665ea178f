package memstore

// Stats is what a [Store] holds.
type Stats struct {
	Consultations int // of all states
	Messages      int // those that were deleted included
	Entries       int // of the outbox, those set aside included
}

// Stats returns the current figures, without what a transaction has not committed.
func (s *Store) Stats() Stats {
	s.db.mu.RLock()
	defer s.db.mu.RUnlock()
	st := s.db.committed
	return Stats{Consultations: len(st.rooms), Messages: len(st.homes), Entries: len(st.queue)}
}
