package ws

import (
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// conn is one established connection. One goroutine reads, one writes, and both end together.
type conn struct {
	server *Server
	id     realtime.SocketID
	socket *socket // the reader's
	wire   *wire
	queue  *queue

	subs map[realtime.Channel]struct{} // guarded by the hub
	gone bool                          // guarded by the hub

	closing  atomic.Bool   // a close frame is queued: nothing the client sends counts any more
	readDone chan struct{} // closed when the reader has ended
}

func newConn(s *Server, id realtime.SocketID, sock *socket, w *wire) *conn {
	return &conn{
		server: s, id: id, socket: sock, wire: w,
		queue:    newQueue(s.cfg.MaxQueueFrames, s.cfg.MaxQueueBytes),
		subs:     make(map[realtime.Channel]struct{}),
		readDone: make(chan struct{}),
	}
}

// run reads until the connection ends and leaves nothing of it behind.
func (c *conn) run() {
	writeDone := make(chan struct{})
	go func() {
		defer close(writeDone)
		c.write()
	}()
	c.read()
	if !c.closing.Load() {
		// The client has gone, or has sent what the library does not accept. In the second case the library has sent
		// a close frame, or leaves it to this one.
		_ = c.wire.send(closeFrame(pusherproto.CodeProtocolError, "protocol error"), true)
		c.wire.linger(c.server.cfg.CloseTimeout)
	}
	c.server.hub.drop(c)
	close(c.readDone)
	c.socket.close()
	<-writeDone
	c.server.remove(c)
}

func (c *conn) read() {
	for {
		message, text, err := c.socket.read()
		if err != nil {
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

// write sends what is queued, pings a silent client and gives up on a dead one.
func (c *conn) write() {
	cfg := c.server.cfg
	timer := time.NewTimer(cfg.ActivityTimeout)
	defer timer.Stop()
	var buf []byte
	var pinged bool   // and nothing has arrived since, if
	var before uint64 // is still the number of reads
	for {
		select {
		case <-c.readDone:
			return
		case <-c.queue.ready:
			var frames int
			var last bool
			buf, frames, last = c.queue.take(buf[:0])
			if frames == 0 {
				continue
			}
			if !c.flush(buf, last) || last {
				return
			}
			c.queue.written(frames, len(buf))
			if cap(buf) > 16<<10 {
				buf = nil // a burst is no reason to keep that much for the life of the connection
			}
		case <-timer.C:
			idle := c.wire.idle()
			switch {
			case pinged && c.wire.reads.Load() == before:
				c.close(pusherproto.CodeNoPong, "pong reply not received", true)
				timer.Reset(cfg.ActivityTimeout) // no longer matters, the close frame comes next
			case idle < cfg.ActivityTimeout:
				pinged = false
				timer.Reset(cfg.ActivityTimeout - idle)
			default:
				// Both kinds: some clients answer the protocol's own ping only, some only that of RFC 6455.
				pinged, before = true, c.wire.reads.Load()
				if !c.flush(appendFrame(textFrame(pusherproto.FramePing), opPing, nil), false) {
					return
				}
				timer.Reset(cfg.PongTimeout)
			}
		}
	}
}

// flush writes frames. After the last ones the client has CloseTimeout to answer. It reports whether the connection
// still stands.
func (c *conn) flush(frames []byte, last bool) bool {
	err := c.wire.send(frames, last)
	if err != nil {
		if isTimeout(err) && !c.closing.Load() {
			c.slow("a write timed out")
		}
		return false
	}
	if last {
		_ = c.wire.SetReadDeadline(time.Now().Add(c.server.cfg.CloseTimeout))
	}
	return true
}

// send queues a message for this connection only.
func (c *conn) send(message []byte) { c.push(textFrame(message)) }

// push queues a frame and closes the connection if it has no room for it. It never blocks.
func (c *conn) push(frame []byte) {
	if c.queue.push(frame) {
		c.server.messagesOut.Add(1)
		return
	}
	c.overflow()
}

// overflow closes a connection that does not keep up. What waits for it is dropped: the client will fetch what it
// missed, and the close frame tells it so.
func (c *conn) overflow() {
	if c.close(pusherproto.CodeOverCapacity, "too slow", true) {
		c.slow("the queue is full")
	}
}

func (c *conn) slow(reason string) {
	c.server.slowCloses.Add(1)
	c.server.cfg.Logger.Info("ws: closed a slow connection",
		slog.String("socket_id", string(c.id)), slog.String("reason", reason))
}

// close starts the end of the connection: no more events, then the close frame, behind what is queued or, with drop,
// instead of it. It never blocks. Only the first call counts, and reports true.
func (c *conn) close(code pusherproto.Code, reason string, drop bool) bool {
	if !c.closing.CompareAndSwap(false, true) {
		return false
	}
	c.server.hub.drop(c)
	c.queue.finish(closeFrame(code, reason), drop)
	return true
}

// contain keeps a panic from taking the host's process with it. It ends the connection, whose client comes back.
func (c *conn) contain(f func()) {
	defer func() {
		if p := recover(); p != nil {
			c.close(pusherproto.CodeReconnect, "internal error", true)
			c.server.cfg.Logger.Error("ws: panic", slog.String("socket_id", string(c.id)), slog.Any("panic", p),
				slog.String("stack", string(debug.Stack())))
		}
	}()
	f()
}
