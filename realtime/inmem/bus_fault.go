package inmem

// Partition keeps the node from the engine, as when its connection is lost: what waits for it is gone, Run calls Down,
// and Publish fails with [ErrUnreachable] at once, until Heal.
func (b *Bus) Partition() { b.leave(false) }

// Hang keeps the node from the engine, as when the network swallows everything: like Partition, but Publish returns only
// when its context ends, or at Heal with [ErrUnreachable]; the frame is gone either way.
func (b *Bus) Hang() { b.leave(true) }

func (b *Bus) leave(hang bool) {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.release()
	b.apart, b.hang = true, hang
	if hang {
		b.returned = make(chan struct{})
	}
	b.queue = nil
	if b.up {
		b.down = ErrUnreachable
	}
	b.signal()
}

// Heal ends Partition and Hang: Run calls Up. However soon it comes, Run has called Down before.
func (b *Bus) Heal() {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.release()
	b.apart, b.hang = false, false
	b.signal()
}

// release lets the calls return that Hang has held. hub.mu is held.
func (b *Bus) release() {
	if b.returned != nil {
		close(b.returned)
		b.returned = nil
	}
}

// Drop loses the next n frames for this node, and nobody is told: neither their publishers nor the node. It replaces what
// an earlier Drop has left; 0 ends it.
func (b *Bus) Drop(n int) {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.drop = max(n, 0)
}

// Pause lets Run call nothing until Resume, as when the process is stopped: frames wait, up to [BusQueue]. A call that
// goes on is not waited for.
func (b *Bus) Pause() { b.pause(true) }

// Resume ends Pause.
func (b *Bus) Resume() { b.pause(false) }

func (b *Bus) pause(paused bool) {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.paused = paused
	b.signal()
}
