package redisbus

import (
	"errors"

	"github.com/redis/go-redis/v9"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/busqueue"
)

// MaxFrame is the largest frame that [Bus.Publish] takes, in bytes.
const MaxFrame = 64 << 10

// Bus is a [realtime.Bus] over Redis. Use [New]. All methods are safe for concurrent use.
type Bus struct {
	client redis.UniversalClient
	opts   Options
	queue  *busqueue.Queue
}

var _ realtime.Bus = (*Bus)(nil)

// New makes the bus of one node over client, which the caller closes after Run
// has returned. Nothing is sent before Run is called. opts may be nil.
func New(client redis.UniversalClient, opts *Options) (*Bus, error) {
	if client == nil {
		return nil, errors.New("redisbus: the client is nil")
	}
	o := opts.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	b := &Bus{client: client, opts: o}
	b.queue = busqueue.New(busqueue.Config{Name: "redisbus", Full: ErrBusy, Batch: maxBatch, Send: b.send})
	return b, nil
}

// MaxFrame implements [realtime.Bus]: it returns [MaxFrame].
func (b *Bus) MaxFrame() int { return MaxFrame }
