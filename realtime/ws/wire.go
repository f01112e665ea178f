package ws

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// Opcodes of RFC 6455 §5.2.
const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
)

const finalFragment = 0x80

// wire is the connection under the WebSocket library, and the way around it for what the server writes. The frames of
// both are whole: one Write each, never one inside another. After a close frame of either nothing more is sent.
type wire struct {
	net.Conn
	writeTimeout time.Duration
	lastRead     atomic.Int64  // Unix nanoseconds
	reads        atomic.Uint64 // how often anything arrived; unlike a time it never stands still
	early        []byte        // read by net/http along with the request; the reader's

	// turn is the lock of writes. It is a channel, which a test in a synctest bubble can wait on.
	turn    chan struct{}
	closing bool // a close frame was sent, or a write failed; whoever has the turn may use it
}

func newWire(conn net.Conn, early []byte, writeTimeout time.Duration) *wire {
	w := &wire{Conn: conn, writeTimeout: writeTimeout, turn: make(chan struct{}, 1)}
	w.early = append(w.early, early...)
	w.lastRead.Store(time.Now().UnixNano())
	return w
}

// Read notes the time: whatever a client sends shows that it lives.
func (w *wire) Read(p []byte) (int, error) {
	if len(w.early) > 0 {
		n := copy(p, w.early)
		w.early = w.early[n:]
		return n, nil
	}
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.lastRead.Store(time.Now().UnixNano())
		w.reads.Add(1)
	}
	return n, err
}

// Write sends a control frame of the library's. One that comes after a close frame is taken and forgotten.
func (w *wire) Write(p []byte) (int, error) {
	err := w.send(p, len(p) > 0 && p[0]&0x0f == opClose)
	if errors.Is(err, net.ErrClosed) {
		return len(p), nil
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// send writes whole frames and waits until the kernel has them, at most the write timeout. last says that a close
// frame is the last of them. The error is net.ErrClosed when a close frame was sent before. After any other error a
// part of a frame may be out, so the connection is cut.
func (w *wire) send(frames []byte, last bool) error {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	if w.closing {
		return net.ErrClosed
	}
	w.closing = last
	err := w.Conn.SetWriteDeadline(time.Now().Add(w.writeTimeout))
	if err == nil {
		_, err = w.Conn.Write(frames)
	}
	if err != nil {
		w.closing = true
		_ = w.Conn.Close()
	}
	return err
}

// idle is the time since the last byte arrived.
func (w *wire) idle() time.Duration { return time.Duration(time.Now().UnixNano() - w.lastRead.Load()) }

// linger reads and forgets, after the library has given up on the connection, until the client closes it or the time
// is over. Closing a TCP socket with unread data in it resets the connection, and the close frame would be lost.
func (w *wire) linger(d time.Duration) {
	_ = w.Conn.SetReadDeadline(time.Now().Add(d))
	buf := make([]byte, 4096)
	for range 256 {
		if _, err := w.Conn.Read(buf); err != nil {
			return
		}
	}
}

// isTimeout tells a client that does not read from one that is gone.
func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// appendFrame appends an unmasked, unfragmented frame (RFC 6455 §5.2). What a server sends is the same for all
// clients, which is why an event is framed once.
func appendFrame(dst []byte, opcode byte, payload []byte) []byte {
	dst = append(dst, finalFragment|opcode)
	switch n := len(payload); {
	case n <= 125:
		dst = append(dst, byte(n))
	case n <= 0xffff:
		dst = binary.BigEndian.AppendUint16(append(dst, 126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
	}
	return append(dst, payload...)
}

// textFrame makes the frame of one message.
func textFrame(payload []byte) []byte {
	return appendFrame(make([]byte, 0, len(payload)+10), opText, payload)
}

// closeFrame makes a close frame (RFC 6455 §5.5.1). The reason is a constant of ours, at most 123 bytes.
func closeFrame(code pusherproto.Code, reason string) []byte {
	payload := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(reason)), uint16(code))
	return appendFrame(nil, opClose, append(payload, reason...))
}
