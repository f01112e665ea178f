package ws

import (
	"io"
	"runtime"
	"slices"
)

// holdBack makes the reader wait for a write when half of the queue is taken. A client may ask for more at once than the
// queue has room for answers: it is read from no faster than it reads then, instead of being closed for it. It reports
// whether the last frame is queued or out, so that nothing that the client says matters any more.
func (w *wire) holdBack() (over bool) {
	w.mu.Lock()
	half := 2*(len(w.queue.frames)+w.writing) > w.cfg.MaxQueueFrames || 2*w.pending > w.cfg.MaxQueueBytes
	if over = w.finished; over || !half || w.drained == nil {
		w.mu.Unlock()
		return over
	}
	if w.written == nil {
		w.written = make(chan struct{})
	}
	written := w.written
	w.mu.Unlock()
	<-written
	return false
}

// letRead ends the waiting of holdBack. The caller has the lock.
func (w *wire) letRead() {
	if w.written != nil {
		close(w.written)
		w.written = nil
	}
}

// maxRest is how much is read of a client that has been told to go. One that floods must not be served until the time
// for its answer is over.
const maxRest = 1 << 20

// discard reads up to the client's close frame, or the end, and forgets it. The library, which would answer pings, sees
// nothing of it.
func (w *wire) discard() error {
	large := drainBuffers.Get().(*[]byte)
	defer drainBuffers.Put(large)
	*large = slices.Grow((*large)[:0], drainChunk)
	buf := (*large)[:drainChunk]
	for total := 0; ; {
		w.state.advance(w.early)
		w.early = nil
		if w.state.closed || total >= maxRest {
			return io.EOF
		}
		n, err := w.Conn.Read(buf)
		if err != nil {
			return err
		}
		w.arrived(n)
		w.early = buf[:n] // read before the buffer is somebody else's
		total += n
		runtime.Gosched() // everybody else goes first
	}
}
