package ws

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// conn is one established connection. It has one goroutine, its reader, and a second one while something waits to be
// written.
type conn struct {
	server *Server
	id     realtime.SocketID
	socket *socket // the reader's
	wire   *wire

	subs map[realtime.Channel]struct{} // guarded by the hub
	user identity                      // guarded by the hub
	gone bool                          // guarded by the hub

	from   netip.Addr // the client's address, or the zero one
	life   lifetime
	limits paces // the reader's

	closing atomic.Bool // a close frame is queued: nothing the client sends counts any more

	timer  *time.Timer // runs check
	pinged bool        // and nothing has arrived since, if
	before uint64      // is still the number of reads
}

func newConn(s *Server, id realtime.SocketID, from netip.Addr, sock *socket, w *wire) *conn {
	c := &conn{server: s, id: id, from: from, socket: sock, wire: w, subs: make(map[realtime.Channel]struct{})}
	w.owner = c
	return c
}

// start greets the client and reads until the connection ends, in goroutines of its own.
func (c *conn) start(greeting []byte) {
	c.timer = time.AfterFunc(c.server.cfg.ActivityTimeout, func() { c.contain(c.check) })
	c.timer.Reset(c.server.cfg.ActivityTimeout) // again, now that check finds the timer
	c.send(greeting)
	go c.read()
}

// read acts on what the client sends. The library's way of reading takes a stack of 8 KiB, which would be most of what
// an idle connection costs. So when there is nothing to read this goroutine ends, and another one waits.
func (c *conn) read() {
	for {
		message, text, err := c.socket.read()
		if errors.Is(err, errIdle) {
			go c.await()
			return
		}
		if err != nil {
			c.end(err)
			return
		}
		if c.closing.Load() {
			continue // until the client has answered the close frame
		}
		c.server.messagesIn.Add(1)
		if !text {
			c.close(pusherproto.CodeUnsupportedData, "text messages only", false)
			continue
		}
		c.contain(func() { c.handle(message) })
	}
}

// framed counts frames of the client's, and the pings among them. It runs within a read.
func (c *conn) framed(n, pings int) {
	now := time.Now()
	for range n {
		if c.limits.messages.take(c.server.cfg.MessageRate, now) > 0 {
			c.overLimit("Too many messages", "MessageRate")
			return
		}
	}
	for range pings {
		if c.limits.pings.take(c.server.cfg.PingRate, now) > 0 {
			c.overLimit("Too many pings", "PingRate")
			return
		}
	}
}

// overLimit closes a connection that has done more than a field of Config allows.
func (c *conn) overLimit(reason, setting string) {
	if c.close(pusherproto.CodeOverCapacity, reason, false) {
		c.server.limits.refused(setting)
	}
}

// await waits until there is something to read.
func (c *conn) await() {
	c.wire.await()
	go c.read()
}

// end leaves nothing of the connection behind. err is what its reading has ended with.
func (c *conn) end(err error) {
	if !c.closing.Swap(true) {
		// The client has gone, or has sent what the library does not accept. In the second case the library has sent
		// a close frame, or leaves it to this one.
		if !c.wire.over() && !isGone(err) {
			c.server.closes.add(pusherproto.CodeProtocolError)
		}
		c.wire.finish(closeFrame(pusherproto.CodeProtocolError, "protocol error"), false)
		c.wire.linger(c.server.cfg.CloseTimeout)
	}
	c.timer.Stop()
	c.life.stop()
	c.server.hub.drop(c)
	c.socket.close()
	c.wire.shut()
	c.server.remove(c)
}

// check pings a silent client and gives up on a dead one. The timer calls it.
func (c *conn) check() {
	cfg := &c.server.cfg
	idle := c.wire.idle()
	switch {
	case c.closing.Load():
	case c.pinged && c.wire.reads.Load() == c.before:
		c.close(pusherproto.CodeNoPong, "pong reply not received", true)
	case idle < cfg.ActivityTimeout:
		c.pinged = false
		c.timer.Reset(cfg.ActivityTimeout - idle)
	default:
		// Both kinds: some clients answer the protocol's own ping only, some only that of RFC 6455.
		c.pinged, c.before = true, c.wire.reads.Load()
		c.push(appendFrame(textFrame(pusherproto.FramePing), opPing, nil))
		c.timer.Reset(cfg.PongTimeout)
	}
}

// send sends a message to this connection only. It never blocks.
func (c *conn) send(message []byte) { c.push(textFrame(message)) }

// push sends a frame and closes the connection if there is no room for it. It never blocks.
func (c *conn) push(frame []byte) {
	switch c.wire.push(frame) {
	case waits:
		c.server.shed()
		fallthrough
	case taken:
		c.server.messagesOut.Add(1)
	case noRoom:
		c.overflow()
	case tooLate:
	}
}

// overflow closes a connection that does not keep up. What waits for it is dropped: the client will fetch what it
// missed, and the close frame tells it so.
func (c *conn) overflow() {
	if c.close(pusherproto.CodeOverCapacity, "too slow", true) {
		c.slow("the queue is full", c.wire.lack())
	}
}

// stuck is for a connection that was cut because a write timed out.
func (c *conn) stuck() {
	if !c.closing.Load() {
		c.slow("a write timed out", "WriteTimeout")
	}
}

func (c *conn) slow(reason, setting string) {
	c.server.slowCloses.Add(1)
	c.server.limits.refused(setting)
	c.server.cfg.Logger.Info("ws: closed a slow connection",
		slog.String("socket_id", string(c.id)), slog.String("reason", reason))
}

// close starts the end of the connection: no more events, then the close frame, behind what is queued or, with drop,
// instead of it. It never blocks. Only the first call counts, and reports true.
func (c *conn) close(code pusherproto.Code, reason string, drop bool) bool {
	if !c.closing.CompareAndSwap(false, true) {
		return false
	}
	c.server.closes.add(code)
	c.server.hub.drop(c)
	c.wire.finish(closeFrame(code, reason), drop)
	return true
}

// rejected counts a close frame that the library has sent because of what it does not accept.
func (c *conn) rejected(frame []byte) {
	if len(frame) < 4 {
		return
	}
	code := pusherproto.Code(binary.BigEndian.Uint16(frame[2:]))
	c.server.closes.add(code)
	if code == pusherproto.CodeMessageTooBig {
		c.server.limits.refused("MaxMessageBytes")
	}
}

// contain keeps a panic from taking the host's process with it. It ends the connection, whose client comes back.
func (c *conn) contain(f func()) {
	defer func() {
		if p := recover(); p != nil {
			c.close(pusherproto.CodeReconnect, "internal error", true)
			c.server.panicked(p, slog.String("socket_id", string(c.id)))
		}
	}()
	f()
}
