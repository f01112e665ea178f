//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"
)

// client is one connection of the load client.
type client struct {
	fd      int
	channel uint32
	rest    []byte // of a frame that has not arrived as a whole
	next    uint32 // the message that has to come

	arrival []byte    // for what the kernel says of an arrival; nil without stamp
	arrived time.Time // when what was read last has arrived
}

// dial connects, shakes hands and subscribes, one step after the other.
func dial(addr, kind string, channel uint32) (*client, error) {
	tcp, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	c := &client{fd: fd, channel: channel}
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: tcp.Port, Addr: [4]byte(tcp.IP.To4())}); err != nil {
		return nil, err
	}
	path, steps := fmt.Sprintf("/app/%d", channel), [][2]string(nil)
	switch kind {
	case "murph", "besieged":
		path = "/app/app-key?protocol=7"
		steps = [][2]string{
			{"", "pusher:connection_established"},
			{fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":"%s"}}`, channelName(channel)), "subscription_succeeded"},
		}
	case "centrifuge":
		path = "/connection/websocket"
		steps = [][2]string{
			{`{"id":1,"connect":{}}`, `"id":1`},
			{fmt.Sprintf(`{"id":2,"subscribe":{"channel":"%s"}}`, channelName(channel)), `"id":2`},
		}
	}
	request := "GET " + path + " HTTP/1.1\r\nHost: " + addr + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
	if _, err := syscall.Write(fd, []byte(request)); err != nil {
		return nil, err
	}
	if err := c.expect("\r\n\r\n"); err != nil {
		return nil, err
	}
	for _, s := range steps {
		if s[0] != "" {
			if _, err := syscall.Write(fd, masked(s[0])); err != nil {
				return nil, err
			}
		}
		if err := c.expect(s[1]); err != nil {
			return nil, err
		}
	}
	c.rest = nil
	return c, syscall.SetNonblock(fd, true)
}

// expect reads until s has come.
func (c *client) expect(s string) error {
	var buf [4096]byte
	for !bytes.Contains(c.rest, []byte(s)) {
		n, err := syscall.Read(c.fd, buf[:])
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("closed instead of %q, after %q", s, c.rest)
		}
		c.rest = append(c.rest, buf[:n]...)
	}
	if s == "\r\n\r\n" {
		_, c.rest, _ = bytes.Cut(c.rest, []byte(s))
	}
	return nil
}

// masked makes a text frame of a client's, with a mask of zeros.
func masked(text string) []byte {
	b := []byte{0x81, 0x80 | byte(len(text))}
	if len(text) > 125 {
		b = binary.BigEndian.AppendUint16([]byte{0x81, 0x80 | 126}, uint16(len(text)))
	}
	return append(append(b, 0, 0, 0, 0), text...)
}

var errCut = errors.New("the server has closed a connection")

// stamp has the kernel note when what arrives has arrived (socket(7), SO_TIMESTAMPNS). The client reads it later, by as
// much as its core is busy with something else.
func (c *client) stamp() error {
	c.arrival = make([]byte, 128)
	return syscall.SetsockoptInt(c.fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
}

// read reads once. With stamp it notes when the last byte has arrived.
func (c *client) read(buf []byte) (int, error) {
	if c.arrival == nil {
		return syscall.Read(c.fd, buf)
	}
	n, rest, _, _, err := syscall.Recvmsg(c.fd, buf, c.arrival, 0)
	if err != nil || n == 0 {
		return n, err
	}
	notes, err := syscall.ParseSocketControlMessage(c.arrival[:rest])
	if err != nil {
		return n, err
	}
	c.arrived = time.Now() // the kernel begins a little after it has been asked to
	for _, m := range notes {
		if m.Header.Level == syscall.SOL_SOCKET && m.Header.Type == syscall.SCM_TIMESTAMPNS && len(m.Data) >= 16 {
			seconds, nanoseconds := binary.NativeEndian.Uint64(m.Data), binary.NativeEndian.Uint64(m.Data[8:])
			c.arrived = time.Unix(int64(seconds), int64(nanoseconds))
		}
	}
	return n, nil
}

// receive reads once and calls got for each message.
func (c *client) receive(buf []byte, got func(*client, uint32) error) error {
	n, err := c.read(buf)
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return nil
	case err != nil:
		return err
	case n == 0:
		return errCut
	}
	p := buf[:n]
	if len(c.rest) > 0 {
		c.rest = append(c.rest, p...)
		p = c.rest
	}
	for {
		body, size, err := parse(p)
		if err != nil {
			return err
		}
		if size == 0 {
			break
		}
		p = p[size:]
		for { // one frame of centrifuge's has several messages
			i := bytes.IndexByte(body, mark)
			if i < 0 {
				break
			}
			message, err := strconv.ParseUint(string(body[i+1:i+9]), 10, 32)
			if err != nil {
				return err
			}
			if err := got(c, uint32(message)); err != nil {
				return err
			}
			body = body[i+9:]
		}
	}
	c.rest = append(c.rest[:0], p...)
	return nil
}

// parse returns the payload of the first frame of p and the frame's size, or 0 if it is not all there.
func parse(p []byte) (payload []byte, size int, err error) {
	if len(p) < 2 {
		return nil, 0, nil
	}
	head, n := 2, int(p[1])
	switch {
	case n == 126 && len(p) >= 4:
		head, n = 4, int(binary.BigEndian.Uint16(p[2:]))
	case n == 127 && len(p) >= 10:
		head, n = 10, int(binary.BigEndian.Uint64(p[2:]))
	case n >= 126:
		return nil, 0, nil
	}
	if p[0] == 0x88 {
		return nil, 0, fmt.Errorf("the server has sent a close frame: %q", p[head:])
	}
	if len(p) < head+n {
		return nil, 0, nil
	}
	return p[head : head+n], head + n, nil
}
