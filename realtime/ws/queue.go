package ws

import "sync"

// queue holds the frames that wait for one connection. Putting one in never blocks; when there is no room the
// connection is too slow and has to go.
type queue struct {
	ready chan struct{} // has a token when there may be something to take

	mu        sync.Mutex // guards what follows; nothing is called with it held
	frames    [][]byte
	count     int // frames that wait or are being written
	bytes     int // their size
	maxFrames int
	maxBytes  int
	finished  bool // nothing more goes in
}

func newQueue(maxFrames, maxBytes int) *queue {
	return &queue{ready: make(chan struct{}, 1), maxFrames: maxFrames, maxBytes: maxBytes}
}

// push puts a frame in; the queue keeps the bytes. It reports false when there was no room, which counts what is being
// written too. After finish it does nothing and reports true.
func (q *queue) push(frame []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.finished {
		return true
	}
	if q.count+1 > q.maxFrames || q.bytes+len(frame) > q.maxBytes {
		return false
	}
	q.add(frame)
	return true
}

// finish puts the last frame in, whether there is room or not. drop forgets what waits in front of it. Only the first
// call counts.
func (q *queue) finish(frame []byte, drop bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.finished {
		return
	}
	q.finished = true
	if drop {
		q.frames = nil // count and bytes no longer matter
	}
	q.add(frame)
}

func (q *queue) add(frame []byte) {
	q.frames = append(q.frames, frame)
	q.count++
	q.bytes += len(frame)
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// take removes all that waits and appends it to buf. last says that the frame of finish is at its end. What was taken
// keeps its room until written is called with the number of frames and bytes.
func (q *queue) take(buf []byte) (joined []byte, frames int, last bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, f := range q.frames {
		buf = append(buf, f...)
	}
	frames = len(q.frames)
	clear(q.frames)
	q.frames = q.frames[:0]
	return buf, frames, q.finished
}

// written gives back the room of what take has returned.
func (q *queue) written(frames, bytes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.count -= frames
	q.bytes -= bytes
}
