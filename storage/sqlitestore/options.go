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
	DefaultBusyTimeout = 5 * time.Second
)

// Options changes how [Open] opens the file. The zero value is ready to use.
type Options struct {
	// Readers is the number of connections that read. Defaults to [DefaultReaders].
	Readers int
	// BusyTimeout is how long a statement waits for another process that writes, in whole milliseconds. The end of its
	// context does not cut that short. Defaults to [DefaultBusyTimeout].
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
	if d.BusyTimeout <= 0 {
		d.BusyTimeout = DefaultBusyTimeout
	}
	return d
}
