package sqlitestore

import (
	"context"
	"log/slog"
	"time"

	"github.com/murph-chat/murph/storage/bunstore"
)

// The defaults of [Options].
const (
	DefaultReaders     = 4 // connections
	DefaultBusyTimeout = bunstore.DefaultBusyTimeout
)

// Options changes how [Open] opens the file. The zero value is ready to use.
type Options struct {
	// Readers is the number of connections that read. Defaults to [DefaultReaders].
	Readers int
	// BusyTimeout bounds two waits of a call: the wait for a free connection,
	// of which one writes, and the wait for another process that holds the lock
	// of the file. A call that waits for both therefore takes at most twice as
	// long; after that it fails with consultation.ErrUnavailable. The end of a
	// context cuts only the first wait short. It is also the busy_timeout, in
	// milliseconds, of the statements that the host application runs on
	// [Store.DB]. Zero means [DefaultBusyTimeout], negative no limit.
	BusyTimeout time.Duration
	// OnQuery is that of [bunstore.Options].
	OnQuery func(ctx context.Context, q bunstore.Query)
	// Logger gets what no caller sees. Defaults to slog.Default().
	Logger *slog.Logger
}

func (o *Options) withDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	if d.Readers <= 0 {
		d.Readers = DefaultReaders
	}
	if d.BusyTimeout == 0 {
		d.BusyTimeout = DefaultBusyTimeout
	}
	return d
}
