package bunstore

import (
	"context"
	"log/slog"
	"time"

	"github.com/uptrace/bun"
)

// DefaultBusyTimeout is the default of [Options].BusyTimeout.
const DefaultBusyTimeout = 5 * time.Second

// Options changes how a [Store] works. The zero value is ready to use.
type Options struct {
	// Reader is a second pool on the same SQLite database that reads go to, so that they need not wait for the one
	// connection that writes. It is an error to set it with Postgres: a replica that lags behind shows less than was
	// already announced. Defaults to the database itself.
	Reader *bun.DB
	// BusyTimeout bounds how long a call on SQLite waits for a free connection
	// and repeats a statement that finds the database locked. After that it
	// fails with [consultation.ErrUnavailable]. The statement that is running
	// then may add the busy_timeout of its connection once. Postgres ignores it.
	// Zero means [DefaultBusyTimeout], negative no limit.
	BusyTimeout time.Duration
	// OnQuery is called after each statement, and after each begin and commit of the store's own transactions, in the
	// goroutine that ran it, with the context of the call. It must be safe for concurrent use and must not block. Defaults
	// to none.
	OnQuery func(ctx context.Context, q Query)
	// Logger gets what no caller sees. Defaults to slog.Default().
	Logger *slog.Logger
}

func (o *Options) withDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	if d.BusyTimeout == 0 {
		d.BusyTimeout = DefaultBusyTimeout
	}
	if d.Logger == nil {
		d.Logger = slog.Default()
	}
	return d
}

// Query is one statement that was run, for metrics and traces.
type Query struct {
	// Name says which statement it was; the set is fixed and small.
	Name string
	// Text is the statement as it was sent, with parameters in the place of values.
	Text string
	// Duration is the time until the last row was read.
	Duration time.Duration
	// Err is the driver's error, or nil.
	Err error
}
