//go:build unix

package ws

import (
	"io"
	"net"
	"reflect"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// rawSocket reads and writes a socket without ever waiting in a write. The file descriptor is used within calls of
// syscall.RawConn only: the connection's Close waits for them to end, so it is never a descriptor that somebody else
// has got in the meantime, whoever closes it.
type rawSocket struct {
	conn syscall.RawConn // nil for a connection that is no plain socket
	send func(fd int, p []byte) (int, error)
	far  [2]*uint32 // memory that a call of conn begins with
	// One call of read or wait at a time. The functions are made once, because one made for each call would be an
	// allocation.
	in               transfer
	tryRead, untilIn func(fd uintptr) bool
}

// transfer is the arguments and results of one system call.
type transfer struct {
	p   []byte
	n   int
	err error
}

// sender is what a write needs besides the connection. One that is used for many connections stays in the processor's
// cache; memory of each connection would have to be waited for in every delivery.
type sender struct {
	transfer
	send func(fd int, p []byte) (int, error)
	try  func(fd uintptr)
}

func newSender() *sender {
	s := new(sender)
	s.try = func(fd uintptr) { s.do(fd, s.send) }
	return s
}

var senders = sync.Pool{New: func() any { return newSender() }}

// open prepares for conn, unless it is not exactly a socket: a type that contains one may do something to the bytes.
func (r *rawSocket) open(conn net.Conn) {
	var s syscall.Conn
	switch c := conn.(type) {
	case *net.TCPConn:
		s = c
	case *net.UnixConn:
		s = c
	default:
		return
	}
	rc, err := s.SyscallConn()
	if err != nil {
		return
	}
	r.conn = rc
	r.send, r.far = writeNow, begin(rc)
	r.tryRead = func(fd uintptr) bool {
		r.in.do(fd, syscall.Read)
		return true
	}
	r.untilIn = func(fd uintptr) bool {
		r.in.do(fd, syscall.Read)
		return !wouldBlock(r.in.err)
	}
}

// begin finds what a call of conn looks at first: the memory that it points to, and the one (a net.netFD) that the
// first pointer in there points to. With a package net that is made in another way it finds less, which costs time only.
func begin(conn syscall.RawConn) [2]*uint32 {
	nothing := new(uint32)
	v := reflect.ValueOf(conn)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct || v.Elem().NumField() == 0 {
		return [2]*uint32{nothing, nothing}
	}
	first := v.Elem().Field(0)
	if first.Kind() != reflect.Pointer || first.IsNil() || first.Type().Elem().Size() < unsafe.Sizeof(*nothing) {
		return [2]*uint32{nothing, nothing}
	}
	return [2]*uint32{(*uint32)(v.UnsafePointer()), (*uint32)(first.UnsafePointer())}
}

// touch brings what a write needs into the processor's cache. What it returns means nothing.
func (r *rawSocket) touch() uint32 {
	if r.far[0] == nil {
		return 0
	}
	return atomic.LoadUint32(r.far[0]) + atomic.LoadUint32(r.far[1])
}

func (r *rawSocket) isOpen() bool { return r.conn != nil }

// write gives the kernel as much of p as it takes at once, by means of the caller's s, or of any with nil. A short count
// is not an error. RawConn.Control keeps the descriptor from being closed like RawConn.Write, and does not prepare for
// waiting, which would be a tenth of the cost of a delivery.
func (r *rawSocket) write(p []byte, s *sender) (int, error) {
	if s == nil {
		s = senders.Get().(*sender)
		defer senders.Put(s)
	}
	s.p, s.send = p, r.send
	err := r.conn.Control(s.try)
	s.p = nil
	switch {
	case err != nil:
		return 0, err
	case wouldBlock(s.err):
		return 0, nil
	}
	return s.n, s.err
}

// read returns what has arrived, errIdle for nothing, io.EOF at the end.
func (r *rawSocket) read(p []byte) (int, error) {
	r.in.p = p
	err := r.conn.Read(r.tryRead)
	r.in.p = nil
	n, e := r.in.n, r.in.err
	switch {
	case err != nil:
		return 0, err
	case wouldBlock(e):
		return 0, errIdle
	case e == nil && n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, e
}

// wait is read that waits. It returns 0 at the end and after an error, which the next read will find too.
func (r *rawSocket) wait(p []byte) int {
	r.in = transfer{p: p}
	_ = r.conn.Read(r.untilIn)
	r.in.p = nil
	return r.in.n
}

func (t *transfer) do(fd uintptr, call func(int, []byte) (int, error)) {
	for {
		t.n, t.err = call(int(fd), t.p)
		if t.err != syscall.EINTR { // nothing wraps what the kernel says
			break
		}
	}
	t.n = max(t.n, 0)
}

func wouldBlock(err error) bool { return err == syscall.EAGAIN || err == syscall.EWOULDBLOCK }
