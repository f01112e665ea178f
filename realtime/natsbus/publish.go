package natsbus

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
)

var (
	// ErrBusy is what Publish returns when 4,096 frames wait for the client already, because its connection takes no
	// more.
	ErrBusy = errors.New("natsbus: too many frames wait for the connection")
	// ErrSilent is what Publish and Down report of a connection that is open, and on which the server does not answer.
	ErrSilent = errors.New("natsbus: the server does not answer")
)

// Publish implements [realtime.Bus]. It returns when the client has the frame.
// Its errors are [nats.ErrDisconnected] and others of the client, wrapped,
// [ErrSilent], [ErrBusy], or as the interface says.
func (b *Bus) Publish(ctx context.Context, shard uint8, frame []byte) error {
	return b.queue.Publish(ctx, shard, frame, b.MaxFrame())
}

// send gives the client one frame, which may block for as long as the connection takes nothing.
func (b *Bus) send(subject string, payloads [][]byte) []error {
	switch {
	case b.conn.Status() != nats.CONNECTED: // the client would keep it for later
		return []error{nats.ErrDisconnected}
	case b.silent.Load():
		return []error{ErrSilent}
	}
	return []error{b.conn.Publish(subject, payloads[0])}
}
