//lint:file-ignore SA1019 the frozen path of the library is a requirement; this file is all that a move would touch

package ws

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"time"

	"nhooyr.io/websocket"
)

// This is the only file that knows the WebSocket library. The library does the handshake, reads messages and handles
// control frames. What it writes, and all that the server writes, goes through a wire.

// socket reads the messages of one connection.
type socket struct{ conn *websocket.Conn }

// accept completes the handshake. After an error it has answered the request. The caller owns both results and ends
// them with socket.close.
func accept(w http.ResponseWriter, r *http.Request, cfg *Config, t *traffic) (*socket, *wire, error) {
	hw := &hijackWriter{ResponseWriter: hijackable(w), cfg: cfg, traffic: t}
	if _, ok := hw.ResponseWriter.(http.Hijacker); ok {
		w = hw
	}
	// Taking the connection over removes the deadline. A writer that has none does without.
	hw.until = time.Now().Add(cfg.HandshakeTimeout)
	deadline := http.NewResponseController(hw.ResponseWriter)
	_ = deadline.SetWriteDeadline(hw.until)
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		// Origins are the server's own business, because it refuses with a close code.
		InsecureSkipVerify: true,
		// A compressor costs 1.2 MB a connection, and chat messages are small.
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		_ = deadline.SetWriteDeadline(time.Time{}) // the connection may carry other requests
		return nil, nil, err
	}
	conn.SetReadLimit(int64(cfg.MaxMessageBytes))
	return &socket{conn}, hw.wire, nil
}

// read returns the next message, or errIdle if none has begun, and can be called again then. It ends with an error when
// the connection does; a message above the limit is one, and the library has sent the close frame then. The context is
// always the background: when one that can end does, the library closes the connection, and a request's context ends
// with its handler, which does not wait for it.
func (s *socket) read() (message []byte, text bool, err error) {
	typ, message, err := s.conn.Read(context.Background())
	return message, typ == websocket.MessageText, err
}

// close cuts the connection and frees what the library holds. The reader must have returned.
func (s *socket) close() { _ = s.conn.CloseNow() }

// hijackWriter hands the library a wire instead of the bare connection. It has no Unwrap method, so that nothing goes
// past it.
type hijackWriter struct {
	http.ResponseWriter
	cfg     *Config
	traffic *traffic
	until   time.Time // the end of the handshake
	wire    *wire
}

// WriteHeader makes writers that put the header off until something is written (gin's) send it now, before the
// connection is taken from them.
func (w *hijackWriter) WriteHeader(status int) {
	w.ResponseWriter.WriteHeader(status)
	if lazy, ok := w.ResponseWriter.(interface{ WriteHeaderNow() }); ok {
		lazy.WriteHeaderNow()
	}
}

// Hijack takes the connection over. The buffers of net/http are dropped: they are large, and the writer's replacement
// has a purpose: it holds the largest control frame (2+125 bytes), so that each of the library's reaches the wire in
// one Write.
func (w *hijackWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := w.ResponseWriter.(http.Hijacker).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if !time.Now().Before(w.until) {
		_ = conn.Close() // net/http does not tell that it could not write the answer
	}
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	w.wire = newWire(conn, early, w.cfg, w.traffic)
	return w.wire, bufio.NewReadWriter(bufio.NewReaderSize(w.wire, 128), bufio.NewWriterSize(w.wire, 136)), nil
}

// hijackable finds the writer under w that can be hijacked, through the wrappers of middleware that have an Unwrap
// method only. If there is none it is w, and the handshake fails with 501.
func hijackable(w http.ResponseWriter) http.ResponseWriter {
	for inner := w; ; {
		if _, ok := inner.(http.Hijacker); ok {
			return inner
		}
		wrapper, ok := inner.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		inner = wrapper.Unwrap()
	}
}
