package ws

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// handshake is the ResponseWriter that the library answers a handshake with. It
// takes the connection over before anything is written, and writes the answer 101
// to the connection itself: ResponseWriters of middleware may put a header off
// until a body comes. The library gets a wire instead of the connection.
type handshake struct {
	w       http.ResponseWriter
	cfg     *Config
	traffic *traffic

	header http.Header // of the answer
	over   bool        // the request was answered, or its connection taken over
	wire   *wire
}

func (h *handshake) Header() http.Header { return h.header }

// WriteHeader answers a request that is no handshake. The status of a handshake
// that succeeds is written by Hijack.
func (h *handshake) WriteHeader(status int) {
	if h.over || status == http.StatusSwitchingProtocols {
		return
	}
	for name, values := range h.header {
		h.w.Header()[name] = values
	}
	h.w.WriteHeader(status)
}

func (h *handshake) Write(p []byte) (int, error) {
	if h.over {
		return len(p), nil
	}
	return h.w.Write(p)
}

// Hijack takes the connection over and completes the handshake. The buffers of
// net/http are dropped, because they are large. The writer's replacement holds the
// largest control frame (2+125 bytes), so that each of the library's reaches the
// wire in one Write.
func (h *handshake) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := hijack(h.w)
	h.over = true
	if err != nil {
		http.Error(h.w, "The middleware in front does not let this connection be upgraded", http.StatusNotImplemented)
		return nil, nil, err
	}
	if err := h.answer(conn); err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	h.wire = newWire(conn, early, h.cfg, h.traffic)
	return h.wire, bufio.NewReadWriter(bufio.NewReaderSize(h.wire, 128), bufio.NewWriterSize(h.wire, 136)), nil
}

// bodyHeaders describe a body, which the answer to a handshake has not.
var bodyHeaders = map[string]bool{"Content-Encoding": true, "Content-Length": true, "Content-Type": true, "Transfer-Encoding": true}

// answer writes the status 101 with the headers of the handshake, and with those
// that middleware has set, such as cookies.
func (h *handshake) answer(conn net.Conn) error {
	header := h.w.Header().Clone()
	if header == nil {
		header = http.Header{}
	}
	for name, values := range h.header {
		header[name] = values
	}
	answer := bytes.NewBufferString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = header.WriteSubset(answer, bodyHeaders) // a Buffer takes everything
	answer.WriteString("\r\n")
	err := conn.SetWriteDeadline(time.Now().Add(h.cfg.HandshakeTimeout))
	if err == nil {
		_, err = conn.Write(answer.Bytes())
	}
	if err == nil {
		err = conn.SetWriteDeadline(time.Time{})
	}
	return err
}

// noHijackError says that a ResponseWriter of middleware can be neither hijacked
// nor unwrapped.
type noHijackError struct{ writer string }

func (e *noHijackError) Error() string {
	return "ws: " + e.writer + " can be neither hijacked nor unwrapped"
}

// hijack takes the connection of a request over, through ResponseWriters of
// middleware that have a Hijack or an Unwrap method. Hijack methods that fail, or
// panic because the next ResponseWriter has none, are passed by.
func hijack(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) {
	for {
		if hijacker, ok := w.(http.Hijacker); ok {
			if conn, rw, err := tryHijack(hijacker); err == nil {
				return conn, rw, nil
			}
		}
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil, nil, &noHijackError{fmt.Sprintf("%T", w)}
		}
		w = wrapper.Unwrap()
	}
}

func tryHijack(h http.Hijacker) (conn net.Conn, rw *bufio.ReadWriter, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("ws: Hijack panicked")
		}
	}()
	return h.Hijack()
}
