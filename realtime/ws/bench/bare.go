//go:build linux

package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"
)

// bare is the least that a server can do: one thread, one epoll, no queues, frames written as they are.
type bare struct {
	epoll, clients, control int
	publisher               int // accepted from control, or -1
	joined                  bool
	subscribers             map[uint32][]int
	buf                     [64 << 10]byte
	partial                 []byte // of a record
}

func serveBare(joined bool) error {
	b := &bare{joined: joined, publisher: -1, subscribers: map[uint32][]int{}}
	var err error
	if b.epoll, err = syscall.EpollCreate1(0); err != nil {
		return err
	}
	var addrs [2]string
	for i, fd := range []*int{&b.clients, &b.control} {
		if *fd, addrs[i], err = listen(); err != nil {
			return err
		}
		if err := b.watch(*fd); err != nil {
			return err
		}
	}
	fmt.Println(addrs[0], addrs[1])
	events := make([]syscall.EpollEvent, 256)
	for {
		n, err := syscall.EpollWait(b.epoll, events, -1)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return err
		}
		for _, ev := range events[:max(n, 0)] {
			if err := b.ready(int(ev.Fd)); err != nil {
				return err
			}
		}
	}
}

func listen() (fd int, addr string, err error) {
	if fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0); err != nil {
		return 0, "", err
	}
	if err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, "", err
	}
	if err = syscall.Listen(fd, 4096); err != nil {
		return 0, "", err
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, "", err
	}
	return fd, (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: sa.(*syscall.SockaddrInet4).Port}).String(), nil
}

func (b *bare) watch(fd int) error {
	return syscall.EpollCtl(b.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
}

func (b *bare) ready(fd int) error {
	if fd == b.clients || fd == b.control {
		conn, _, err := syscall.Accept(fd)
		if err != nil {
			return err
		}
		_ = syscall.SetsockoptInt(conn, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
		if fd == b.control {
			b.publisher = conn
		}
		return b.watch(conn)
	}
	n, err := syscall.Read(fd, b.buf[:])
	switch {
	case err != nil || n == 0:
		b.forget(fd)
		return syscall.Close(fd)
	case fd == b.publisher:
		return b.publish(b.buf[:n])
	}
	return b.talk(fd, b.buf[:n])
}

// forget takes a client from its channel: its descriptor may be somebody else's soon.
func (b *bare) forget(fd int) {
	for channel, fds := range b.subscribers {
		if i := slices.Index(fds, fd); i >= 0 {
			b.subscribers[channel] = slices.Delete(fds, i, i+1)
			return
		}
	}
}

// talk does the handshake, and takes the channel from the request's path. What a client sends later does not matter.
func (b *bare) talk(fd int, p []byte) error {
	if !bytes.HasPrefix(p, []byte("GET /")) {
		return nil
	}
	var channel uint32
	if _, err := fmt.Sscanf(string(p), "GET /app/%d", &channel); err != nil {
		return err
	}
	_, key, _ := bytes.Cut(p, []byte("Sec-WebSocket-Key: "))
	key, _, _ = bytes.Cut(key, []byte("\r\n"))
	sum := sha1.Sum(append(bytes.Clone(key), "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
	if _, err := syscall.Write(fd, []byte(answer)); err != nil {
		return err
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return err
	}
	b.subscribers[channel] = append(b.subscribers[channel], fd)
	return nil
}

// publish writes the messages of whole records.
func (b *bare) publish(p []byte) error {
	p = append(b.partial, p...)
	waiting := map[uint32][]byte{}
	for ; len(p) >= recordSize; p = p[recordSize:] {
		channel, message := parseRecord(p)
		if channel == collect {
			giveBack()
			if _, err := syscall.Write(b.publisher, []byte{1}); err != nil {
				return err
			}
			continue
		}
		if b.joined {
			waiting[channel] = append(waiting[channel], encode(channel, message)...)
		} else if err := b.write(channel, encode(channel, message)); err != nil {
			return err
		}
	}
	b.partial = append(b.partial[:0], p...)
	for channel, frames := range waiting {
		if err := b.write(channel, frames); err != nil {
			return err
		}
	}
	return nil
}

func (b *bare) write(channel uint32, frames []byte) error {
	for _, fd := range b.subscribers[channel] {
		n, err := syscall.Write(fd, frames)
		if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
			continue // it has gone, which the next turn of the loop will notice: the run is over
		}
		if err != nil || n < len(frames) {
			return fmt.Errorf("a client does not keep up: %d of %d bytes: %w", n, len(frames), err)
		}
	}
	return nil
}

// encode makes the same frame as the library's server.
func encode(channel, message uint32) []byte {
	data := payload(message)
	text := fmt.Appendf(nil, `{"event":"message.new","channel":"%s","data":%q}`, channelName(channel), data)
	return append([]byte{0x81, 126, byte(len(text) >> 8), byte(len(text))}, text...)
}
