package redisbus

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/redis/go-redis/v9"
)

// maxBatch is how many frames go in one round trip.
const maxBatch = 256

// ErrBusy is what Publish returns when 4,096 frames wait for Redis already.
var ErrBusy = errors.New("redisbus: too many frames wait for Redis")

// Publish implements [realtime.Bus]. It returns when Redis has answered. Its
// errors are those of the client, wrapped, [ErrBusy], or as the interface says.
func (b *Bus) Publish(ctx context.Context, shard uint8, frame []byte) error {
	return b.queue.Publish(ctx, shard, frame, MaxFrame)
}

// send makes one round trip.
func (b *Bus) send(channel string, payloads [][]byte) []error {
	ctx, cancel := context.WithTimeout(context.Background(), b.opts.Timeout) // it is for all who wait
	defer cancel()
	commands := make([]*redis.IntCmd, len(payloads))
	_, failure := b.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, payload := range payloads {
			commands[i] = pipe.Publish(ctx, channel, payload)
		}
		return nil
	})
	// When no connection was made, the client may leave the commands without an error of their own.
	if slices.ContainsFunc(commands, func(r *redis.IntCmd) bool { return r.Err() != nil }) {
		failure = nil
	}
	errs := make([]error, len(commands))
	for i, r := range commands {
		errs[i] = cmp.Or(r.Err(), failure)
	}
	return errs
}
