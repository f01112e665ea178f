package realtime

// LeftForDrain is how many entries the relay remembers to give back when it stops.
func (r *Relay) LeftForDrain() int {
	r.lanes.mu.Lock()
	defer r.lanes.mu.Unlock()
	return len(r.lanes.left)
}
