package realtimetest

import (
	"context"
	"net"
	"sync"
)

// Proxy passes TCP connections on to a server and can break them, for tests of what happens when the network does. It
// listens on a free port of 127.0.0.1. Its methods are safe for concurrent use.
type Proxy struct {
	target   string
	listener net.Listener
	ctx      context.Context // ends with Close, and with it dials that are under way
	stop     context.CancelFunc
	wg       sync.WaitGroup

	mu    sync.Mutex // guards what follows
	conns map[net.Conn]struct{}
	cut   bool
	gate  chan struct{} // closed when bytes may pass
}

// ListenProxy starts a proxy for the server at the address target, as in [net.Dial]. Nothing is dialed until somebody
// connects. Close ends it.
func ListenProxy(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{target: target, listener: l, conns: map[net.Conn]struct{}{}, gate: make(chan struct{})}
	close(p.gate)
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.wg.Go(p.accept)
	return p, nil
}

// Addr returns the address that the proxy listens on, with its port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Kick ends every connection at once. New ones are passed on.
func (p *Proxy) Kick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		reset(c)
	}
}

// Cut ends every connection at once, and each new one as soon as it comes, until Heal.
func (p *Proxy) Cut() {
	p.mu.Lock()
	p.cut = true
	p.mu.Unlock()
	p.Kick()
}

// Stall keeps every connection open, takes new ones, and passes nothing on in either direction until Heal, as when a
// machine has vanished from the network: only who waits for an answer notices. The bytes that were under way arrive after
// Heal.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.gate:
		p.gate = make(chan struct{})
	default: // it is closed to bytes already
	}
}

// Heal ends Cut and Stall.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
	select {
	case <-p.gate:
	default:
		close(p.gate)
	}
}

// Close ends the proxy and all connections, and returns when its goroutines have ended.
func (p *Proxy) Close() {
	_ = p.listener.Close() // it has no more to say than that it is closed already
	p.stop()
	p.Cut()
	p.wg.Wait()
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(c) })
	}
}

// serve passes one connection on until either side ends it.
func (p *Proxy) serve(client net.Conn) {
	if !p.keep(client) {
		return
	}
	defer p.forget(client)
	if !p.pass() {
		return
	}
	server, err := new(net.Dialer).DialContext(p.ctx, "tcp", p.target)
	if err != nil || !p.keep(server) {
		return
	}
	defer p.forget(server)
	var wg sync.WaitGroup
	wg.Go(func() { p.copy(server, client) })
	p.copy(client, server)
	wg.Wait()
}

// copy passes bytes on from one end to the other, and ends both when there are no more.
func (p *Proxy) copy(to, from net.Conn) {
	defer reset(to)
	defer reset(from)
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil || !p.pass() {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// pass waits until bytes may pass. It reports false when the proxy has ended.
func (p *Proxy) pass() bool {
	p.mu.Lock()
	gate := p.gate
	p.mu.Unlock()
	select {
	case <-gate:
		return true
	case <-p.ctx.Done():
		return false
	}
}

// keep remembers a connection for Kick, unless there may be none.
func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut || p.ctx.Err() != nil {
		reset(c)
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *Proxy) forget(c net.Conn) {
	reset(c)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// reset ends a connection without waiting for what was not sent yet.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // then it is closed the slow way
	}
	_ = c.Close()
}
