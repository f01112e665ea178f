package natsbus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/busqueue"
)

const (
	// maxPending is how many frames wait for the handler. More are dropped by the client, and told with Down.
	maxPending = 4096
	// lookEvery is how often the state of the connection is looked at. The client can report it too, but forgets whoever
	// has not taken the last report in time.
	lookEvery = 100 * time.Millisecond
)

var (
	errSlow        = errors.New("natsbus: frames were lost because the handler is too slow")
	errReconnected = errors.New("natsbus: the connection was lost, and is another one now")
)

// Run implements [realtime.Bus]. It returns an error that wraps [nats.ErrConnectionClosed] when the connection is
// closed: by the host, or because it has tried in vain as often as nats.MaxReconnects says. While another Run goes on
// it returns an error at once.
func (b *Bus) Run(ctx context.Context, name string, h realtime.BusHandler) error {
	subject := b.opts.Prefix + "." + name
	if err := b.queue.Start(subject); err != nil {
		return err
	}
	defer b.queue.Stop()
	frames := make(chan *nats.Msg, maxPending)
	subscription, err := b.conn.ChanSubscribe(subject, frames)
	if err != nil {
		return fmt.Errorf("natsbus: subscribe: %w", err)
	}
	defer func() { _ = subscription.Unsubscribe() }() // it fails if the connection is closed
	defer b.silent.Store(false)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &receiver{Bus: b, h: h, subscription: subscription, frames: frames, answers: make(chan answer, 1)}
	return r.run(ctx)
}

// receiver is one Run.
type receiver struct {
	*Bus
	h            realtime.BusHandler
	subscription *nats.Subscription
	frames       chan *nats.Msg

	up, told bool
	seen     state // when Up was called
	answers  chan answer
	asking   bool      // an answer is outstanding
	asked    time.Time // when it was asked for
}

// state changes whenever frames may have been lost.
type state struct {
	reconnects uint64
	dropped    int
}

// answer is the result of a question to the server, and what the state was before it.
type answer struct {
	before state
	err    error
}

func (r *receiver) run(ctx context.Context) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	if err := r.look(ctx); err != nil {
		return err
	}
	for {
		frames := r.frames
		if !r.up {
			frames = nil // what waits is taken after Up
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("natsbus: run: %w", ctx.Err())
		case m := <-frames:
			if ctx.Err() != nil { // both were ready
				continue
			}
			if shard, frame, ok := busqueue.Open(m.Data); ok {
				r.h.Frame(shard, frame)
			}
		case a := <-r.answers:
			r.asking = false
			r.hear(a)
		case <-look.C:
			if err := r.look(ctx); err != nil {
				return err
			}
		}
	}
}

// now returns the state.
func (r *receiver) now() state {
	dropped, _ := r.subscription.Dropped() // it fails if the connection is closed, which look finds
	return state{r.conn.Stats().Reconnects, dropped}
}

// look tells what has happened to the connection, and asks the server for an answer when it is time.
func (r *receiver) look(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil
	}
	now := r.now()
	switch status := r.conn.Status(); {
	case status == nats.CLOSED:
		r.down(nats.ErrConnectionClosed)
		return fmt.Errorf("natsbus: run: %w", nats.ErrConnectionClosed)
	case status != nats.CONNECTED:
		r.down(nats.ErrDisconnected)
		return nil
	case r.up && now.reconnects != r.seen.reconnects:
		r.down(errReconnected)
	case r.up && now.dropped != r.seen.dropped:
		r.down(errSlow)
	}
	if !r.asking && (!r.up || time.Since(r.asked) >= r.opts.Probe) {
		r.ask(ctx, now)
	}
	return nil
}

// ask sends the server a question, which it answers when it has got everything before it, the subscription included.
// The goroutine ends with the answer, after twice Options.Probe, or with Run; the client may hold it for as long as it
// cannot write.
func (r *receiver) ask(ctx context.Context, before state) {
	r.asking, r.asked = true, time.Now()
	go func() {
		ctx, cancel := context.WithTimeout(ctx, 2*r.opts.Probe)
		defer cancel()
		r.answers <- answer{before, r.conn.FlushWithContext(ctx)}
	}()
}

// hear takes the answer to ask.
func (r *receiver) hear(a answer) {
	switch {
	case errors.Is(a.err, context.DeadlineExceeded):
		r.silent.Store(true)
		r.down(ErrSilent)
	case a.err != nil: // the connection was lost, and look finds that
	case r.up:
		r.silent.Store(false)
	case a.before.reconnects == r.conn.Stats().Reconnects:
		r.silent.Store(false)
		r.up, r.seen = true, a.before
		r.h.Up()
	}
}

// down calls Down once for each Up, and before the first one.
func (r *receiver) down(err error) {
	if r.up || !r.told {
		r.up, r.told = false, true
		r.h.Down(err)
	}
}
