package realtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// OutboxBroadcaster is a Broadcaster that also empties an outbox; [*Relay] is one. A service that finds its
// broadcaster to be one writes an outbox entry with every change and hands the event over instead of waiting for it.
type OutboxBroadcaster interface {
	Broadcaster
	// HandOff takes the event of the outbox entry id, whose change has just been committed. It never blocks and never
	// fails: an event that it cannot take stays in the outbox and is claimed later. An id of 0 means that there is no
	// entry; such an event is tried once.
	HandOff(id int64, ev Event)
	// Lease is how long a fresh entry is reserved for the hand-off.
	Lease() time.Duration
}

// PublisherOptions changes how a [Publisher] works. The zero value is ready to use.
type PublisherOptions struct {
	// Timeout bounds the wait for a Broadcaster that has no outbox. Defaults to 2 seconds.
	Timeout time.Duration
	// Logger gets what no caller sees: events that could not be broadcast. Defaults to slog.Default().
	Logger *slog.Logger
}

// Publisher sends the event of a change that is already stored. Nothing that happens to the event can undo the change,
// so Publish reports no error: it logs.
//
// With an [OutboxBroadcaster] an event survives a crash and a transport that is down, and Publish returns at once. With
// a plain Broadcaster it is tried once, in the caller's goroutine, for at most the timeout; a failure costs the event,
// and the clients find the change when they next catch up.
//
// A Publisher is safe for concurrent use.
type Publisher struct {
	to      Broadcaster
	outbox  OutboxBroadcaster
	timeout time.Duration
	log     *slog.Logger
}

// NewPublisher makes a Publisher for to, which must not be nil.
func NewPublisher(to Broadcaster, opts *PublisherOptions) (*Publisher, error) {
	if to == nil {
		return nil, errors.New("realtime: a publisher needs a broadcaster")
	}
	var o PublisherOptions
	if opts != nil {
		o = *opts
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	outbox, _ := to.(OutboxBroadcaster)
	return &Publisher{to: to, outbox: outbox, timeout: o.Timeout, log: o.Logger}, nil
}

// Enqueue returns what to pass to the store: an entry leased to this process, or nil if there is no outbox.
func (p *Publisher) Enqueue(except SocketID) *Enqueue {
	if p.outbox == nil {
		return nil
	}
	return &Enqueue{Lease: p.outbox.Lease(), Except: except}
}

// HasOutbox reports whether events survive until they are published.
func (p *Publisher) HasOutbox() bool { return p.outbox != nil }

// Publish sends ev, whose outbox entry is id, or 0 if it has none. The end of ctx does not stop it: the change is
// stored, and its event has to go out although the request that made it may be over.
func (p *Publisher) Publish(ctx context.Context, id int64, ev Event) {
	if p.outbox != nil {
		p.outbox.HandOff(id, ev)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.timeout)
	defer cancel()
	if err := guard(func() error { return p.to.Broadcast(ctx, ev) }); err != nil {
		p.log.LogAttrs(ctx, slog.LevelWarn, "event not broadcast", slog.Any("event", ev), slog.Any("err", err))
	}
}

// guard turns a panic into an error, so that a fault in a transport stays in it. The text of the panic is not in the
// error: it could hold the payload.
func guard(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("realtime: the broadcaster panicked with a %T", r)
		}
	}()
	return do()
}
