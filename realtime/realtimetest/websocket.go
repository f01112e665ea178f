package realtimetest

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Opcodes of RFC 6455 §5.2, for [Client.SendFrame].
const (
	OpContinuation byte = 0x0
	OpText         byte = 0x1
	OpBinary       byte = 0x2
	OpClose        byte = 0x8
	OpPing         byte = 0x9
	OpPong         byte = 0xA
)

// maxServerMessage is far above what a server of the protocol sends.
const maxServerMessage = 1 << 20

// CloseError is how a connection ends on which the server has sent a close frame.
type CloseError struct {
	Code   int    // 1005 if the frame had none
	Reason string // as the server put it
}

// Error shows the code and the reason.
func (e *CloseError) Error() string {
	return fmt.Sprintf("realtimetest: closed by the server: %d %s", e.Code, e.Reason)
}

// HandshakeError is the answer of a server that did not upgrade the connection.
type HandshakeError struct {
	Status int // of the answer, not 101
}

// Error shows the status.
func (e *HandshakeError) Error() string {
	return fmt.Sprintf("realtimetest: handshake answered with %d", e.Status)
}

// socket is the client's side of RFC 6455: one message at a time, no extensions, and an error for whatever the server
// may not do. It answers pings and close frames itself, but only while read runs.
type socket struct {
	conn net.Conn
	r    *bufio.Reader
	mute bool // answers nothing
	// writing has room for one who writes. In a synctest bubble time passes while others wait for it, which it would not
	// while they wait for the mutex of a net.Pipe.
	writing chan struct{}
}

// handshake upgrades conn (RFC 6455 §4.1).
func handshake(conn net.Conn, u *url.URL, header http.Header) (*socket, error) {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce)
	key := base64.StdEncoding.EncodeToString(nonce)
	req := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: header.Clone()}
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "websocket")
	req.Header.Set("Sec-WebSocket-Version", "13")
	req.Header.Set("Sec-WebSocket-Key", key)
	if err := req.Write(conn); err != nil {
		return nil, err
	}
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusSwitchingProtocols {
		return nil, &HandshakeError{Status: res.StatusCode}
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if res.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]) ||
		!strings.EqualFold(res.Header.Get("Upgrade"), "websocket") {
		return nil, errors.New("realtimetest: the handshake's answer does not belong to the request")
	}
	return &socket{conn: conn, r: r, writing: make(chan struct{}, 1)}, nil
}

// read returns the next text message.
func (s *socket) read() ([]byte, error) {
	var message []byte
	open := false // within a fragmented message
	for {
		opcode, final, payload, err := s.readFrame()
		if err != nil {
			return nil, err
		}
		switch {
		case opcode == OpPing:
			if s.mute {
				continue
			}
			if err := s.write(finalBit|OpPong, payload); err != nil {
				return nil, err
			}
			continue
		case opcode == OpPong:
			continue
		case opcode == OpClose:
			return nil, s.closed(payload)
		case opcode == OpText && !open, opcode == OpContinuation && open:
		default:
			return nil, fmt.Errorf("realtimetest: unexpected opcode %#x", opcode)
		}
		if message = append(message, payload...); len(message) > maxServerMessage {
			return nil, errors.New("realtimetest: message too big")
		}
		open = !final
		if final {
			if !utf8.Valid(message) {
				return nil, errors.New("realtimetest: a text message is not UTF-8")
			}
			return message, nil
		}
	}
}

const finalBit, maskBit = 0x80, 0x80

func (s *socket) readFrame() (opcode byte, final bool, payload []byte, err error) {
	var h [8]byte
	if _, err = io.ReadFull(s.r, h[:2]); err != nil {
		return 0, false, nil, err
	}
	opcode, final = h[0]&0x0f, h[0]&finalBit != 0
	size := uint64(h[1] & 0x7f)
	control := opcode >= OpClose
	switch {
	case h[0]&0x70 != 0:
		return 0, false, nil, errors.New("realtimetest: a reserved bit is set")
	case h[1]&maskBit != 0:
		return 0, false, nil, errors.New("realtimetest: the server masks")
	case control && (!final || size > 125):
		return 0, false, nil, errors.New("realtimetest: a control frame is fragmented or too long")
	case size == 126:
		_, err = io.ReadFull(s.r, h[:2])
		size = uint64(binary.BigEndian.Uint16(h[:2]))
	case size == 127:
		_, err = io.ReadFull(s.r, h[:8])
		size = binary.BigEndian.Uint64(h[:8])
	}
	if err == nil && size > maxServerMessage {
		err = errors.New("realtimetest: frame too big")
	}
	if err != nil {
		return 0, false, nil, err
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(s.r, payload)
	return opcode, final, payload, err
}

// closed answers a close frame and ends the connection, unless the socket is mute.
func (s *socket) closed(payload []byte) error {
	ce := &CloseError{Code: 1005}
	if len(payload) >= 2 {
		ce.Code, ce.Reason = int(binary.BigEndian.Uint16(payload)), string(payload[2:])
	}
	if !s.mute {
		_ = s.write(finalBit|OpClose, payload[:min(2, len(payload))])
		_ = s.conn.Close()
	}
	return ce
}

// write sends one masked frame (RFC 6455 §5.3). first is its first byte.
func (s *socket) write(first byte, payload []byte) error {
	b := []byte{first}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, maskBit|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, maskBit|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, maskBit|127), uint64(n))
	}
	var mask [4]byte
	_, _ = rand.Read(mask[:])
	b = append(b, mask[:]...)
	for i, c := range payload {
		b = append(b, c^mask[i%4])
	}
	s.writing <- struct{}{}
	defer func() { <-s.writing }()
	_, err := s.conn.Write(b)
	return err
}

// until runs f, whose reads and writes on conn end when ctx does; the error is that of ctx then. The connection is of
// no use afterwards if the end came within a frame.
func until(ctx context.Context, conn net.Conn, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		_ = conn.SetDeadline(time.Unix(1, 0))
	})
	err := f()
	if !stop() {
		<-stopped
		_ = conn.SetDeadline(time.Time{})
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return err
}
