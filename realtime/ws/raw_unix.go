//go:build unix

package ws

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// rawSocket reads and writes a socket without ever waiting in a write. The file descriptor is used within calls of
// syscall.RawConn only: the connection's Close waits for them to end, so it is never a descriptor that somebody else
// has got in the meantime.
type rawSocket struct {
	conn syscall.RawConn
	// One call of write, and one of read or wait, at a time. The functions are made once, because one made for each
	// call would be an allocation for each delivery.
	out, in                    transfer
	tryWrite, tryRead, untilIn func(fd uintptr) bool
}

// transfer is the arguments and results of one system call.
type transfer struct {
	p   []byte
	n   int
	err error
}

// newRawSocket returns nil for what is not exactly a socket: a type that contains one may do something to the bytes.
func newRawSocket(conn net.Conn) *rawSocket {
	var s syscall.Conn
	switch c := conn.(type) {
	case *net.TCPConn:
		s = c
	case *net.UnixConn:
		s = c
	default:
		return nil
	}
	rc, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	r := &rawSocket{conn: rc}
	r.tryWrite = func(fd uintptr) bool {
		r.out.do(fd, syscall.Write)
		return true
	}
	r.tryRead = func(fd uintptr) bool {
		r.in.do(fd, syscall.Read)
		return true
	}
	r.untilIn = func(fd uintptr) bool {
		r.in.do(fd, syscall.Read)
		return !wouldBlock(r.in.err)
	}
	return r
}

// write gives the kernel as much of p as it takes at once. A short count is not an error.
func (r *rawSocket) write(p []byte) (int, error) {
	r.out = transfer{p: p}
	err := r.conn.Write(r.tryWrite)
	n, e := r.out.n, r.out.err
	r.out = transfer{}
	switch {
	case err != nil:
		return 0, err
	case wouldBlock(e):
		return 0, nil
	}
	return n, e
}

// read returns what has arrived, errIdle for nothing, io.EOF at the end.
func (r *rawSocket) read(p []byte) (int, error) {
	r.in = transfer{p: p}
	err := r.conn.Read(r.tryRead)
	n, e := r.in.n, r.in.err
	r.in = transfer{}
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
	n := r.in.n
	r.in = transfer{}
	return n
}

func (t *transfer) do(fd uintptr, call func(int, []byte) (int, error)) {
	for {
		t.n, t.err = call(int(fd), t.p)
		if !errors.Is(t.err, syscall.EINTR) {
			break
		}
	}
	t.n = max(t.n, 0)
}

func wouldBlock(err error) bool { return err == syscall.EAGAIN || err == syscall.EWOULDBLOCK }
