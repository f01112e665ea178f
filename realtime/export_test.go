package realtime

// LeftForDrain is how many entries the relay remembers to give back when it stops.
func (r *Relay) LeftForDrain() int {
	r.lanes.mu.Lock()
	defer r.lanes.mu.Unlock()
	return len(r.lanes.left)
}

// Narrow gives the limiter room for most users in a generation.
func (l *Limiter) Narrow(most int) { l.most = most }

// Known returns the number of users that the limiter remembers.
func (l *Limiter) Known() int { return len(l.young) + len(l.old) }

// WaitingAcks returns how many ids wait for their acknowledgement.
func (r *Relay) WaitingAcks() int {
	r.acks.mu.Lock()
	defer r.acks.mu.Unlock()
	return len(r.acks.ids)
}
