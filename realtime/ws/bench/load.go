//go:build linux

package main

import (
	"errors"
	"fmt"
	"net"
	"slices"
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
	// P50 and P99 are the times from publishing to each delivery's arrival in the kernel of the client, with a rate, in
	// seconds. When the client gets to read it is not the server's affair, and here a matter of who else is on its core.
	P50, P99 float64
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

	// With a rate.
	due   time.Time            // of the next message
	sent  map[uint32]time.Time // when the messages that are on their way were published
	took  []float64            // the deliveries' times
	alive int                  // the client that says next that it lives
	signs float64              // of life that are due
}

func load(s settings) (result, error) {
	l := &loader{settings: s, share: s.conns / max(s.channels, 1), missing: map[uint32]int{}, byFD: map[int]*client{}}
	l.sent = map[uint32]time.Time{}
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
	if s.outstanding > 0 || s.rate > 0 {
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
		if l.rate > 0 {
			if err := c.stamp(); err != nil {
				return err
			}
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
	start := time.Now()
	if l.due = start; l.rate == 0 {
		for range l.outstanding {
			l.publish()
		}
	}
	if err := l.until(start.Add(l.warmUp)); err != nil {
		return err
	}
	l.took = l.took[:0]
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
	if slices.Sort(l.took); len(l.took) > 0 {
		res.P50, res.P99 = l.took[len(l.took)/2], l.took[len(l.took)*99/100]
	}
	return nil
}

// keepTime publishes what is due, and returns how many milliseconds there is nothing to do. Along with each message some
// of the clients say that they live, every one of them in two seconds.
func (l *loader) keepTime() (wait int, err error) {
	for now := time.Now(); !now.Before(l.due); {
		l.publish()
		l.due = l.due.Add(time.Duration(float64(time.Second) / l.rate))
		for l.signs += float64(l.conns) / l.rate / 2; l.signs >= 1; l.signs-- {
			if _, err := syscall.Write(l.clients[l.alive].fd, pong); err != nil {
				return 0, err
			}
			l.alive = (l.alive + 1) % l.conns
		}
	}
	return int(time.Until(l.due)/time.Millisecond) + 1, nil // and not less, or it would spin
}

var pong = masked(`{"event":"pusher:pong","data":{}}`)

// publish puts the next message into the records of this turn. Messages take the channels in turn.
func (l *loader) publish() {
	channel := l.next % uint32(l.channels)
	l.records = appendRecord(l.records, channel, l.next)
	l.missing[l.next] = l.share
	l.next++
}

// stamp notes when the records of this turn are published.
func (l *loader) stamp(now time.Time) {
	for i := 0; i < len(l.records); i += recordSize {
		_, message := parseRecord(l.records[i:])
		l.sent[message] = now
	}
}

func (l *loader) until(end time.Time) error {
	events := make([]syscall.EpollEvent, 128)
	buf := make([]byte, 256<<10)
	for time.Now().Before(end) {
		wait := 5000
		if l.rate > 0 {
			var err error
			if wait, err = l.keepTime(); err != nil {
				return err
			}
		}
		if len(l.records) > 0 {
			if l.rate > 0 {
				l.stamp(time.Now())
			}
			if _, err := l.control.Write(l.records); err != nil {
				return err
			}
			l.records = l.records[:0]
		}
		n, err := syscall.EpollWait(l.epoll, events, wait)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return err
		case n == 0 && l.rate == 0:
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
	if l.rate > 0 {
		l.took = append(l.took, c.arrived.Sub(l.sent[message]).Seconds())
	}
	if l.missing[message]--; l.missing[message] == 0 {
		delete(l.missing, message)
		delete(l.sent, message)
		if l.rate == 0 {
			l.publish()
		}
	}
	return nil
}
