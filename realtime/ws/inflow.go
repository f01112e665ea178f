package ws

import (
	"io"
	"time"
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

// A client is read from in turns, with a pause behind each, in which everybody else has theirs. Only one that sends more
// without a break feels it. To give the processor up would not do: Go's scheduler looks at the network when there is
// nothing else to run, so while one goroutine always is, an event to publish is not even seen.
const (
	turnFrames = 16
	turnPause  = time.Millisecond
)

// endTurn pauses if the turn is over.
func (w *wire) endTurn() {
	if w.turn >= turnFrames {
		w.turn = 0
		time.Sleep(turnPause)
	}
}

// A client that has been told to go is read from at once for politeRest bytes, which is more than one that behaves has
// under way, and then slowly, until the time for its answer is over: one that floods is to wait, and not to be served.
const (
	politeRest = 64 << 10
	restPiece  = 4096
	restPause  = 50 * time.Millisecond
)

// discard reads up to the client's close frame, or the end, and forgets it. The library, which would answer pings, sees
// nothing of it.
func (w *wire) discard() error {
	buf := make([]byte, restPiece)
	for total := 0; ; {
		w.state.advance(w.early)
		w.early = nil
		switch {
		case w.state.closed:
			return io.EOF
		case total >= politeRest:
			time.Sleep(restPause)
		case total > 0:
			time.Sleep(turnPause)
		}
		n, err := w.Conn.Read(buf)
		if err != nil {
			return err
		}
		w.arrived(n)
		w.early = buf[:n]
		total += n
	}
}
