package ws

// queue holds the frames that wait for one connection. It is empty, and has no memory of its own, while the
// connection's socket takes what it is given. Its owner has a lock around it.
type queue struct {
	frames [][]byte
	bytes  int  // of frames
	begun  bool // the first is the rest of a frame of which a part is out: it has to go, whatever happens
}

// add puts frames in. It keeps the bytes, not the slice of them.
func (q *queue) add(frames ...[]byte) {
	for _, f := range frames {
		q.bytes += len(f)
	}
	q.frames = append(q.frames, frames...)
}

// addRest puts the rest of a frame into an empty queue.
func (q *queue) addRest(frame []byte) {
	q.add(frame)
	q.begun = true
}

// take removes frames from the front and appends them to buf, the first one and then as many as stay within limit
// bytes altogether. It returns how many.
func (q *queue) take(buf []byte, limit int) (joined []byte, n int) {
	for _, f := range q.frames {
		if n > 0 && len(buf)+len(f) > limit {
			break
		}
		buf = append(buf, f...)
		q.bytes -= len(f)
		n++
	}
	if n > 0 {
		q.begun = false
	}
	clear(q.frames[:n])
	if q.frames = q.frames[n:]; len(q.frames) == 0 {
		q.frames = nil
	}
	return buf, n
}

// drop forgets all frames of which nothing is out, and returns how many bytes they had.
func (q *queue) drop() (bytes int) {
	keep := 0
	if q.begun {
		keep = 1
	}
	for _, f := range q.frames[keep:] {
		bytes += len(f)
	}
	clear(q.frames[keep:])
	q.frames = q.frames[:keep]
	q.bytes -= bytes
	return bytes
}

// unsent returns what of frames is not within their first n bytes: the rest of the one that is cut there, or nil, and
// the whole ones behind it.
func unsent(frames [][]byte, n int) (rest []byte, whole [][]byte) {
	for len(frames) > 0 && n >= len(frames[0]) {
		n -= len(frames[0])
		frames = frames[1:]
	}
	if n == 0 {
		return nil, frames
	}
	return frames[0][n:], frames[1:]
}
