package ws

import (
	"sync"
	"time"
)

// drainChunk is how much the drainer takes and writes at once, unless a single frame is larger. The write timeout is for
// that much, which a client can take that reads 13 kB a second, and what was taken cannot be dropped any more.
const drainChunk = 64 << 10

var drainBuffers = sync.Pool{New: func() any { return new([]byte) }}

// verdict is what became of frames.
type verdict int

const (
	taken   verdict = iota // by the kernel, or by the queue
	waits                  // taken, and something is in the queue
	noRoom                 // not taken: the client is too slow
	tooLate                // forgotten: the connection is closing
)

// push sends one frame; the wire keeps the bytes. It never blocks.
func (w *wire) push(frame []byte) verdict {
	v := w.deliver(frame, [][]byte{frame}, nil)
	if v <= waits {
		w.traffic.out.Add(uint64(len(frame)))
	}
	return v
}

// deliver sends frames. joined is all of them one behind the other, and may be used again after the call; the frames
// themselves may not. out is for rawSocket.write. It never blocks. After noRoom some of them may be out, and the
// connection has to be closed.
func (w *wire) deliver(joined []byte, frames [][]byte, out *sender) verdict {
	w.mu.Lock()
	if w.finished {
		w.mu.Unlock()
		return tooLate
	}
	if !w.held && w.raw.isOpen() {
		n, err := w.raw.write(joined, out)
		if n == len(joined) {
			w.mu.Unlock()
			return taken
		}
		if err != nil {
			w.fail()
			w.mu.Unlock()
			_ = w.Conn.Close()
			return tooLate
		}
		var rest []byte
		if rest, frames = unsent(frames, n); rest != nil {
			w.queue.addRest(rest)
			w.waiting(len(rest))
		}
	}
	v := w.enqueue(frames)
	w.drain()
	w.mu.Unlock()
	return v
}

// burstTime is how long one write may take before more frames than MaxQueueFrames are too many. Who reads is not to be
// closed because a lot of small things have been said at the same moment, before any of it was written.
const burstTime = 250 * time.Millisecond

// enqueue puts frames into the queue if all have room. One frame of any size has when no more than half of MaxQueueBytes
// waits, which is when a client is read from, and until it is written it does not count: so there is room for what the
// client asks for, and be it the members of a large channel, and for what comes behind that. The caller has the lock.
func (w *wire) enqueue(frames [][]byte) verdict {
	size := 0
	for _, f := range frames {
		size += len(f)
	}
	if len(w.queue.frames)+w.writing+len(frames) > w.cfg.MaxQueueFrames && w.stalled() {
		w.full = "MaxQueueFrames"
		return noRoom
	}
	if w.pending-w.large+size > w.cfg.MaxQueueBytes {
		if w.large > 0 || 2*w.pending > w.cfg.MaxQueueBytes {
			w.full = "MaxQueueBytes"
			return noRoom
		}
		w.large = size
	}
	w.queue.add(frames...)
	w.waiting(size)
	return waits
}

// lack returns the field of Config that has left no room.
func (w *wire) lack() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.full
}

// stalled reports that it is the client who keeps the queue from getting shorter. The caller has the lock.
func (w *wire) stalled() bool {
	return w.drained != nil && time.Since(w.began) >= burstTime
}

// hold puts a frame into the queue and keeps it there until flush is called, which the caller must do, or until another
// frame comes behind it. It does no I/O, so that it can be called with a lock held.
func (w *wire) hold(frame []byte) verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finished {
		return tooLate
	}
	v := w.enqueue([][]byte{frame})
	if v == waits {
		w.held = true
		w.traffic.out.Add(uint64(len(frame)))
	}
	return v
}

// flush sends what hold has kept. Without that it does nothing. It never blocks.
func (w *wire) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.held || w.drained != nil {
		return // the drainer has it
	}
	if w.raw.isOpen() {
		buf := drainBuffers.Get().(*[]byte)
		defer drainBuffers.Put(buf)
		frames := w.queue.frames
		*buf = (*buf)[:0]
		for _, f := range frames {
			*buf = append(*buf, f...)
		}
		n, _ := w.raw.write(*buf, nil) // after an error the drainer has it too
		rest, whole := unsent(frames, n)
		w.queue = queue{}
		if rest != nil {
			w.queue.addRest(rest)
		}
		w.queue.add(whole...)
		w.waiting(-n)
		w.held = false
	}
	w.drain()
}

// finish sends the last frame, behind what waits or, with drop, instead of it, whether there is room or not. The client
// has CloseTimeout to answer it. Only the first call counts. It never blocks.
func (w *wire) finish(frame []byte, drop bool) {
	w.mu.Lock()
	if w.finished {
		w.mu.Unlock()
		return
	}
	w.finished = true
	w.traffic.out.Add(uint64(len(frame)))
	if drop {
		w.waiting(-w.queue.drop())
	}
	if w.held || !w.raw.isOpen() {
		w.queue.add(frame)
		w.waiting(len(frame))
		w.drain()
		w.mu.Unlock()
		return
	}
	n, err := w.raw.write(frame, nil)
	if err == nil && n < len(frame) {
		w.queue.addRest(frame[n:])
		w.waiting(len(frame) - n)
		w.drain()
		w.mu.Unlock()
		return
	}
	w.mu.Unlock()
	w.lastIsOut(err)
}

// over reports whether the last frame is queued or out.
func (w *wire) over() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.finished
}

// lastIsOut is for when the close frame has been written, or could not be.
func (w *wire) lastIsOut(err error) {
	if err == nil {
		err = w.Conn.SetReadDeadline(time.Now().Add(w.cfg.CloseTimeout))
	}
	if err != nil {
		_ = w.Conn.Close()
	}
}

// waiting changes the number of bytes that wait. The caller has the lock.
func (w *wire) waiting(change int) {
	if w.pending += change; w.pending <= w.cfg.MaxQueueBytes {
		w.large = 0
	}
	w.traffic.queued.Add(int64(change))
}

// fail forgets everything and takes nothing more. The caller has the lock, and closes the connection when it has not.
func (w *wire) fail() {
	w.finished = true
	w.queue = queue{}
	w.writing = 0
	w.waiting(-w.pending)
	w.letRead()
}

// drain starts the drainer if it is needed and does not run. The caller has the lock.
func (w *wire) drain() {
	if w.drained != nil || len(w.queue.frames) == 0 {
		return
	}
	w.held, w.began = true, time.Now()
	w.drained = make(chan struct{})
	go w.drainer(w.drained)
}

// drainer writes until nothing waits. It ends with an error when the client does not read for the write timeout, and
// at once when the connection is closed.
func (w *wire) drainer(done chan struct{}) {
	defer close(done)
	buf := drainBuffers.Get().(*[]byte)
	defer drainBuffers.Put(buf)
	for {
		if !w.take(buf) {
			return
		}
		var err error
		for rest := *buf; err == nil && len(rest) > 0; {
			n := min(len(rest), drainChunk)
			if err = w.Conn.SetWriteDeadline(time.Now().Add(w.cfg.WriteTimeout)); err == nil {
				_, err = w.Conn.Write(rest[:n])
			}
			rest = rest[n:]
		}
		if err == nil {
			continue
		}
		// A part of a frame may be out, so nothing can follow.
		w.mu.Lock()
		w.fail()
		w.drained = nil
		w.mu.Unlock()
		if isTimeout(err) && w.owner != nil {
			w.owner.stuck() // before the reader finds the connection closed, and takes it for one that has gone
		}
		_ = w.Conn.Close()
		return
	}
}

// take gives back the room of what was in buf and fills it with what comes next. When there is nothing it is the end of
// the drainer.
func (w *wire) take(buf *[]byte) bool {
	w.mu.Lock()
	if w.writing > 0 {
		w.waiting(w.queue.bytes - w.pending)
		w.letRead()
	}
	*buf, w.writing = w.queue.take((*buf)[:0], drainChunk)
	if w.writing > 0 {
		w.began = time.Now()
		w.mu.Unlock()
		return true
	}
	w.held, w.drained = false, nil
	w.letRead()
	last := w.finished
	_ = w.Conn.SetWriteDeadline(time.Time{}) // or it would end writes that have nothing to do with this one
	w.mu.Unlock()
	if last {
		w.lastIsOut(nil)
	}
	return false
}

// droppable is how many bytes finish would drop.
func (w *wire) droppable() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finished {
		return 0
	}
	return w.queue.bytes
}

// settle waits until nothing waits.
func (w *wire) settle() {
	w.mu.Lock()
	drained := w.drained
	w.mu.Unlock()
	if drained != nil {
		<-drained
	}
}

// shut takes nothing more and waits for the drainer's end. The connection must be closed.
func (w *wire) shut() {
	w.mu.Lock()
	w.finished = true
	if w.drained == nil {
		w.fail()
	}
	w.mu.Unlock()
	w.settle()
}
