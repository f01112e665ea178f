package ws

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// errIdle says that nothing has arrived and no message is half received. Reading may go on later as if it had not been
// returned: neither the library nor the buffer in front of it keeps it.
var errIdle = errors.New("ws: nothing to read")

// wire is the connection under the WebSocket library, and the way around it for what the server writes. The frames of
// both are whole, never one inside another, and after a close frame of either nothing more is sent. No write but that
// of the library's own close frame waits for the client.
//
// On a TCP or Unix socket frames go to the kernel at once, in the goroutine that has them. What the socket does not
// take, and everything on another kind of connection (TLS), waits in a queue for a goroutine that writes, which there
// is only as long as something waits.
type wire struct {
	// What every delivery touches stands together.
	mu       sync.Mutex // guards what follows; a write that does not block is all that happens with it held
	finished bool       // a close frame is queued or out, or a write failed
	held     bool       // what comes goes into the queue: the drainer runs, or flush will be called
	raw      rawSocket  // for writing
	queue    queue
	writing  int           // frames that the drainer has taken and is writing
	pending  int           // bytes in the queue and in the drainer's hands
	large    int           // of these, those of a frame that has room although it is too large
	began    time.Time     // when the drainer has begun with what it is writing
	drained  chan struct{} // closed when the drainer has ended; nil if there is none
	written  chan struct{} // closed when the drainer has written; nil if nobody waits for that
	full     string        // the field of Config that has left no room

	net.Conn
	cfg     *Config
	traffic *traffic
	owner   *conn // hears of a client that does not keep up; nil until the connection is established

	// The reader's.
	early []byte // to be read first: what net/http read along with the request, or await found
	found [64]byte
	state inbound
	turn  int // frames since the last pause

	lastRead atomic.Int64  // in ticks
	reads    atomic.Uint64 // how often anything arrived; unlike a time it never stands still
}

// traffic counts the bytes of all connections.
type traffic struct {
	in, out atomic.Uint64
	queued  atomic.Int64 // wait for some connection, at this moment
}

func newWire(conn net.Conn, early []byte, cfg *Config, t *traffic) *wire {
	w := &wire{Conn: conn, cfg: cfg, traffic: t, early: bytes.Clone(early)}
	w.raw.open(conn)
	w.lastRead.Store(ticks(time.Now()))
	return w
}

// Read notes the time: whatever a client sends shows that it lives. On a plain socket it returns errIdle rather than
// wait between two messages; await waits then, on a smaller stack.
func (w *wire) Read(p []byte) (n int, err error) {
	if over := w.holdBack(); over {
		return 0, w.discard()
	}
	w.endTurn()
	switch {
	case len(w.early) > 0:
		n = copy(p, w.early)
		w.early = w.early[n:]
		w.advance(p[:n])
		return n, nil
	case w.raw.isOpen() && w.state.between():
		n, err = w.raw.read(p)
	default:
		n, err = w.Conn.Read(p)
	}
	w.arrived(n)
	w.advance(p[:n])
	return n, err
}

// advance follows the frames and has them counted, those too that never become a message: pings, pongs, fragments.
func (w *wire) advance(p []byte) {
	w.state.advance(p)
	if n := w.state.frames; n > 0 && w.owner != nil {
		w.turn += n
		w.owner.framed(n, w.state.pings)
		w.state.frames, w.state.pings = 0, 0
	}
}

// await returns when there is something to read, be it the end. It is for a plain socket, after errIdle.
func (w *wire) await() {
	n := w.raw.wait(w.found[:])
	w.arrived(n)
	w.early = w.found[:n]
}

func (w *wire) arrived(n int) {
	if n > 0 {
		w.lastRead.Store(ticks(time.Now()))
		w.reads.Add(1)
		w.traffic.in.Add(uint64(n))
	}
}

// idle is the time since the last byte arrived.
func (w *wire) idle() time.Duration { return time.Duration(ticks(time.Now()) - w.lastRead.Load()) }

// Write sends a control frame of the library's. One that comes after a close frame is taken and forgotten. The library
// closes the connection behind a close frame, so that one is waited for, at most until a write times out.
func (w *wire) Write(p []byte) (int, error) {
	frame := bytes.Clone(p) // the library uses the bytes again
	if len(p) > 0 && p[0]&0x0f == opClose {
		echo := w.state.closed && bytes.Equal(frame[2:], w.state.reason)
		if echo && len(w.state.reason) > 2 && !utf8.Valid(w.state.reason[2:]) {
			frame, echo = closeFrame(pusherproto.CodeInvalidPayload, "the reason is not UTF-8"), false // RFC 6455 §8.1
		}
		if w.owner != nil && !echo && !w.over() {
			w.owner.rejected(frame) // first, so that a client that has read it finds it counted
		}
		w.finish(frame, false)
		w.settle()
		return len(p), nil
	}
	if w.push(frame) == noRoom && w.owner != nil {
		w.owner.overflow() // it pings, and does not read the answers
	}
	return len(p), nil
}

// linger reads and forgets, after the library has given up on the connection, until the client closes it or the time
// is over. Closing a TCP socket with unread data in it resets the connection, and the close frame would be lost.
func (w *wire) linger(d time.Duration) {
	_ = w.Conn.SetReadDeadline(time.Now().Add(d))
	buf := make([]byte, 4096)
	for range 256 {
		if _, err := w.Conn.Read(buf); err != nil {
			return
		}
		time.Sleep(turnPause)
	}
}

// isTimeout tells a client that does not read from one that is gone.
func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// isGone tells the end of a connection from what was wrong on it.
func isGone(err error) bool {
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.ErrClosedPipe) || errors.As(err, &network) || errors.As(err, new(syscall.Errno))
}

var _ io.ReadWriter = (*wire)(nil)
