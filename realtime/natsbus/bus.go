package natsbus

import (
	"errors"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/busqueue"
)

// maxFrame is the largest frame that a [Bus] takes, in bytes, if the server allows as much.
const maxFrame = 64 << 10

// Bus is a [realtime.Bus] over NATS. Use [New]. All methods are safe for concurrent use.
type Bus struct {
	conn   *nats.Conn
	opts   Options
	queue  *busqueue.Queue
	silent atomic.Bool // Run has found that the server does not answer
}

var _ realtime.Bus = (*Bus)(nil)

// New makes the bus of one node over conn, which need not be connected yet, and
// which the caller closes after Run has returned. Nothing is sent before Run is
// called. opts may be nil.
func New(conn *nats.Conn, opts *Options) (*Bus, error) {
	if conn == nil {
		return nil, errors.New("natsbus: the connection is nil")
	}
	if conn.Opts.NoEcho {
		return nil, errors.New("natsbus: a connection with nats.NoEcho does not bring a node its own frames")
	}
	o := opts.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	b := &Bus{conn: conn, opts: o}
	b.queue = busqueue.New(busqueue.Config{Name: "natsbus", Full: ErrBusy, Batch: 1, Send: b.send})
	return b, nil
}

// MaxFrame implements [realtime.Bus]: it returns 65,536, or less if the server that conn is connected to has a lower
// max_payload.
func (b *Bus) MaxFrame() int {
	limit := b.conn.MaxPayload()
	if limit <= 0 { // it has not been connected yet
		return maxFrame
	}
	return int(max(1024, min(maxFrame, limit-busqueue.Overhead)))
}
