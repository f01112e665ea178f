//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// patience is how long trickle goes on. The server has closed it long before, which it sees at the end of what the kernel
// holds for it.
const patience = 6 * time.Second

// trickle reads a byte a second of a channel that carries a megabyte, and then all at once, to see how that has ended.
func (a *attacker) trickle() (string, error) {
	c, err := a.connect(nil, true)
	if err != nil {
		return "", err
	}
	if err := c.Subscribe(a.ctx, bulk, realtime.Grant{}); err != nil {
		return "", err
	}
	var one [1]byte
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for time.Since(a.began) < patience {
		select {
		case <-tick.C:
			if _, err := a.line.Read(one[:]); err != nil {
				return "cut", nil
			}
		case <-a.ctx.Done():
			return "", a.ctx.Err()
		}
	}
	return lastCode(a.line)
}

// lastCode is the code of the close frame at the end of what a connection still has to say.
func lastCode(conn net.Conn) (string, error) {
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	rest, _ := io.ReadAll(conn)
	if i := bytes.LastIndexByte(rest, 0x88); i >= 0 && i+4 <= len(rest) && i+2+int(rest[i+1]) == len(rest) {
		return fmt.Sprint(int(rest[i+2])<<8 | int(rest[i+3])), nil
	}
	return "cut", nil
}

// hungUp tells when the server has closed the connection, without reading from it.
func (a *attacker) hungUp() (<-chan struct{}, error) {
	raw, err := a.line.(*net.TCPConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		ev := &syscall.EpollEvent{Events: syscall.EPOLLRDHUP, Fd: int32(fd)}
		failed = syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, int(fd), ev)
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, errors.Join(err, syscall.Close(epoll))
	}
	closed := make(chan struct{})
	go func() {
		defer func() { _ = syscall.Close(epoll) }()
		events := make([]syscall.EpollEvent, 1)
		for a.ctx.Err() == nil {
			if n, _ := syscall.EpollWait(epoll, events, 200); n > 0 {
				close(closed)
				return
			}
		}
	}()
	return closed, nil
}

func (a *attacker) silence() (string, error) {
	c, err := a.connect(nil, true)
	if err != nil {
		return "", err
	}
	return a.code(c)
}

// halfOpen says and reads nothing any more once it is connected.
func (a *attacker) halfOpen() (string, error) {
	if _, err := a.connect(nil, true); err != nil {
		return "", err
	}
	closed, err := a.hungUp()
	if err != nil {
		return "", err
	}
	select {
	case <-closed:
		return "cut", nil
	case <-a.ctx.Done():
		return "", a.ctx.Err()
	}
}

// slowloris sends a byte of its request every 100 ms.
func (a *attacker) slowloris() (string, error) {
	conn, err := a.dial(a.ctx, "", "")
	if err != nil {
		return "", err
	}
	closed, err := a.hungUp()
	if err != nil {
		return "", err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	request := "GET /app/app-key?protocol=7 HTTP/1.1\r\nHost: murph.test\r\nX-Never-Ending: "
	for i := 0; ; i++ {
		select {
		case <-tick.C:
			b := byte('x')
			if i < len(request) {
				b = request[i]
			}
			if _, err := conn.Write([]byte{b}); err != nil {
				return "cut", nil
			}
		case <-closed:
			return "cut", nil
		case <-a.ctx.Done():
			return "", a.ctx.Err()
		}
	}
}
