//go:build linux

package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// result is one run.
type result struct {
	Deliveries int
	Seconds    float64
	CPU        float64 // seconds, of the server
	ClientCPU  float64
	// ResidentBefore and Resident are the server's memory without and with the connections, in KiB; Collected is that
	// after a forced collection.
	ResidentBefore, Resident, Collected int
}

// loader keeps messages outstanding and counts what arrives.
type loader struct {
	settings
	epoll   int
	clients []*client
	control net.Conn
	share   int            // connections of one channel
	missing map[uint32]int // deliveries of the outstanding messages
	next    uint32         // message to publish
	records []byte         // to be published at the end of a turn
	arrived int
	byFD    map[int]*client
}

func load(s settings) (result, error) {
	l := &loader{settings: s, share: s.conns / max(s.channels, 1), missing: map[uint32]int{}, byFD: map[int]*client{}}
	var res result
	var err error
	if l.control, err = net.Dial("tcp", s.control); err != nil {
		return res, err
	}
	defer l.control.Close()
	if err := l.collect(); err != nil {
		return res, err
	}
	if res.ResidentBefore, err = resident(s.pid); err != nil {
		return res, err
	}
	if err := l.connect(); err != nil {
		return res, err
	}
	if s.outstanding > 0 {
		if err := l.run(&res); err != nil {
			return res, err
		}
		return res, nil
	}
	if res.Resident, err = resident(s.pid); err != nil {
		return res, err
	}
	if err := l.collect(); err != nil {
		return res, err
	}
	res.Collected, err = resident(s.pid)
	return res, err
}

// collect has the server collect its garbage.
func (l *loader) collect() error {
	if _, err := l.control.Write(appendRecord(nil, collect, 0)); err != nil {
		return err
	}
	var answer [1]byte
	_, err := l.control.Read(answer[:])
	return err
}

func (l *loader) connect() (err error) {
	if l.epoll, err = syscall.EpollCreate1(0); err != nil {
		return err
	}
	for i := range l.conns {
		c, err := dial(l.addr, l.kind, uint32(i%l.channels))
		if err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		c.next = c.channel
		l.clients = append(l.clients, c)
		l.byFD[c.fd] = c
		ev := &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(c.fd)}
		if err := syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_ADD, c.fd, ev); err != nil {
			return err
		}
	}
	return nil
}

// run publishes and counts for the warm-up and the window.
func (l *loader) run(res *result) error {
	for range l.outstanding {
		l.publish()
	}
	start := time.Now()
	if err := l.until(start.Add(l.warmUp)); err != nil {
		return err
	}
	began, before, own := time.Now(), l.arrived, cpuOfSelf()
	cpu, err := cpuOf(l.pid)
	if err != nil {
		return err
	}
	if err := l.until(began.Add(l.window)); err != nil {
		return err
	}
	after, err := cpuOf(l.pid)
	if err != nil {
		return err
	}
	res.Deliveries, res.Seconds = l.arrived-before, time.Since(began).Seconds()
	res.CPU, res.ClientCPU = after-cpu, cpuOfSelf()-own
	return nil
}

// publish puts the next message into the records of this turn. Messages take the channels in turn.
func (l *loader) publish() {
	channel := l.next % uint32(l.channels)
	l.records = appendRecord(l.records, channel, l.next)
	l.missing[l.next] = l.share
	l.next++
}

func (l *loader) until(end time.Time) error {
	events := make([]syscall.EpollEvent, 128)
	buf := make([]byte, 256<<10)
	for time.Now().Before(end) {
		if len(l.records) > 0 {
			if _, err := l.control.Write(l.records); err != nil {
				return err
			}
			l.records = l.records[:0]
		}
		n, err := syscall.EpollWait(l.epoll, events, 5000)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return err
		case n == 0:
			return fmt.Errorf("nothing has arrived for 5 s, %d messages are outstanding", len(l.missing))
		}
		for _, ev := range events[:n] {
			if err := l.byFD[int(ev.Fd)].receive(buf, l.got); err != nil {
				return err
			}
		}
	}
	return nil
}

// got counts a delivery. Everything that is not the next message of the connection's channel is a fault.
func (l *loader) got(c *client, message uint32) error {
	if message != c.next {
		return fmt.Errorf("message %d arrives where %d has to", message, c.next)
	}
	c.next += uint32(l.channels)
	l.arrived++
	if l.missing[message]--; l.missing[message] == 0 {
		delete(l.missing, message)
		l.publish()
	}
	return nil
}
