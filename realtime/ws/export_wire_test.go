//go:build unix

package ws

import (
	"bytes"
	"net"
	"os"
	"sync"
	"time"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// Wire is a wire on a socket that takes as much as the test says.
type Wire struct {
	w    *wire
	Sock *FakeSocket
}

// NewWire makes a Wire that writes straight to its socket, or, as for TLS, through the queue only.
func NewWire(cfg Config, straight bool) *Wire {
	s := &FakeSocket{changed: make(chan struct{})}
	cfg = cfg.withDefaults()
	x := &Wire{w: newWire(s, nil, &cfg, new(traffic)), Sock: s}
	if straight {
		x.w.raw.conn = fakeRaw{s}
		x.w.raw.send = func(_ int, p []byte) (int, error) { return s.take(p), nil }
	}
	return x
}

// Deliver sends text frames and reports whether they were taken.
func (x *Wire) Deliver(messages ...[]byte) bool {
	var frames [][]byte
	for _, m := range messages {
		frames = append(frames, textFrame(m))
	}
	joined := bytes.Join(frames, nil)
	v := x.w.deliver(joined, frames, nil)
	clear(joined) // nobody may have kept it
	return v == taken || v == waits
}

// Hold is Deliver of one message that is written by Flush.
func (x *Wire) Hold(message []byte) bool {
	v := x.w.hold(textFrame(message))
	return v == taken || v == waits
}

// Flush writes what Hold has kept.
func (x *Wire) Flush() { x.w.flush() }

// Finish sends a close frame.
func (x *Wire) Finish(drop bool) {
	x.w.finish(closeFrame(pusherproto.CodeOverCapacity, "too slow"), drop)
}

// Pending returns the bytes that wait, by the wire's own account and by that of all wires.
func (x *Wire) Pending() (own, all int) {
	x.w.mu.Lock()
	defer x.w.mu.Unlock()
	return x.w.pending, int(x.w.traffic.queued.Load())
}

// FakeSocket is a connection whose kernel has a buffer of the test's making.
type FakeSocket struct {
	net.Conn // the methods that nobody calls

	mu       sync.Mutex
	room     int
	out      []byte
	deadline time.Time
	closed   bool
	changed  chan struct{} // closed when one of the others changes
}

// Grant makes room for n bytes more.
func (s *FakeSocket) Grant(n int) {
	s.change(func() { s.room += n })
}

// Written returns all that was written, and whether the connection is closed.
func (s *FakeSocket) Written() ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.out), s.closed
}

func (s *FakeSocket) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *FakeSocket) take(p []byte) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(p), s.room)
	s.room -= n
	s.out = append(s.out, p[:n]...)
	return n
}

func (s *FakeSocket) state() (changed chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, net.ErrClosed
	case !s.deadline.IsZero() && !time.Now().Before(s.deadline):
		return nil, os.ErrDeadlineExceeded
	}
	return s.changed, nil
}

// Write waits for room, as that of a net.Conn does.
func (s *FakeSocket) Write(p []byte) (n int, err error) {
	for {
		changed, err := s.state()
		if err != nil {
			return n, err
		}
		if n += s.take(p[n:]); n == len(p) {
			return n, nil
		}
		s.mu.Lock()
		timer := time.NewTimer(time.Until(s.deadline))
		s.mu.Unlock()
		select {
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (s *FakeSocket) SetWriteDeadline(t time.Time) error {
	s.change(func() { s.deadline = t })
	return nil
}

func (s *FakeSocket) SetReadDeadline(time.Time) error { return nil }

func (s *FakeSocket) Close() error {
	s.change(func() { s.closed = true })
	return nil
}

// fakeRaw is the system call's way to a FakeSocket.
type fakeRaw struct{ s *FakeSocket }

func (r fakeRaw) Control(f func(uintptr)) error {
	if _, err := r.s.state(); err != nil {
		return err
	}
	f(0)
	return nil
}

func (fakeRaw) Read(func(uintptr) bool) error { return nil }

func (fakeRaw) Write(func(uintptr) bool) error { return nil }
