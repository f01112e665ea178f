//go:build unix

package ws

import (
	"io"
	"net"
	"syscall"
)

// rawSocket reads and writes a socket without ever waiting in a write. The file descriptor is used within calls of
// syscall.RawConn only: the connection's Close waits for them to end, so it is never a descriptor that somebody else
// has got in the meantime, whoever closes it.
type rawSocket struct {
	conn syscall.RawConn // nil for a connection that is no plain socket
	// One call of write, and one of read or wait, at a time. The functions are made once, because one made for each
	// call would be an allocation for each delivery.
	tryWrite         func(fd uintptr)
	out, in          transfer
	tryRead, untilIn func(fd uintptr) bool
}

// transfer is the arguments and results of one system call.
type transfer struct {
	p   []byte
	n   int
	err error
}

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
	r.tryWrite = func(fd uintptr) { r.out.do(fd, writeNow) }
	r.tryRead = func(fd uintptr) bool {
		r.in.do(fd, syscall.Read)
		return true
	}
	r.untilIn = func(fd uintptr) bool {
		r.in.do(fd, syscall.Read)
		return !wouldBlock(r.in.err)
	}
}

func (r *rawSocket) isOpen() bool { return r.conn != nil }

// write gives the kernel as much of p as it takes at once. A short count is not an error. RawConn.Control keeps the
// descriptor from being closed like RawConn.Write, and does not prepare for waiting, which would be a tenth of the cost
// of a delivery.
func (r *rawSocket) write(p []byte) (int, error) {
	r.out.p = p
	err := r.conn.Control(r.tryWrite)
	r.out.p = nil
	switch {
	case err != nil:
		return 0, err
	case wouldBlock(r.out.err):
		return 0, nil
	}
	return r.out.n, r.out.err
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
