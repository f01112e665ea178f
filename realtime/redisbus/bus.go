package redisbus

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/murph-chat/murph/realtime"
)

// MaxFrame is the largest frame that [Bus.Publish] takes, in bytes.
const MaxFrame = 64 << 10

// Bus is a [realtime.Bus] over Redis. Use [New]. All methods are safe for concurrent use.
type Bus struct {
	client  redis.UniversalClient
	channel string
	opts    Options
	seal    *realtime.BusSeal
	running atomic.Bool

	mu       sync.Mutex // guards what follows; never held while calling out
	queue    []*entry   // what waits for the next round trip
	flushing bool       // there is a goroutine that empties the queue
}

var _ realtime.Bus = (*Bus)(nil)

// New makes the bus of one node over client, which the caller closes after Run has returned. Nothing is sent before
// Publish or Run are called. opts may be nil.
func New(client redis.UniversalClient, opts *Options) (*Bus, error) {
	if client == nil {
		return nil, errors.New("redisbus: the client is nil")
	}
	o := opts.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Bus{client: client, channel: o.Prefix + ":bus", opts: o, seal: realtime.NewBusSeal()}, nil
}

// MaxFrame implements [realtime.Bus]: it returns [MaxFrame].
func (b *Bus) MaxFrame() int { return MaxFrame }
