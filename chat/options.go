package chat

import (
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/murph-chat/murph/realtime"
)

// The defaults of [Options].
const (
	DefaultMaxContent = 5000             // characters
	DefaultEditWindow = 15 * time.Minute // after the creation
	DefaultMaxCatchUp = 500              // changes
	DefaultPageSize   = 50               // messages or consultations
	MaxPageSize       = 200
)

// ReadReceipts says who sees how far somebody has read.
type ReadReceipts int

// The choices for read receipts.
const (
	// ReceiptsShared shows each of the two how far the other has read.
	ReceiptsShared ReadReceipts = iota
	// ReceiptsPrivate shows everybody their own mark only; unread counts still work.
	ReceiptsPrivate
)

// Options changes how a [Service] works. The zero value is ready to use.
type Options struct {
	// MaxContent is the longest message in characters, after trimming. Defaults to [DefaultMaxContent].
	MaxContent int
	// EditWindow is how long the sender may edit and delete a message; negative means without end. Defaults to
	// [DefaultEditWindow].
	EditWindow time.Duration
	// MaxCatchUp is how many changes a client may have missed before it is told to start afresh from the newest page.
	// Defaults to [DefaultMaxCatchUp].
	MaxCatchUp int
	// ReadReceipts defaults to [ReceiptsShared].
	ReadReceipts ReadReceipts
	// NewID makes the ids of messages. Defaults to UUIDv7.
	NewID func() MessageID
	// Publisher changes how events go out when the broadcaster has no outbox.
	Publisher realtime.PublisherOptions
	// Logger gets what no caller sees. Defaults to slog.Default().
	Logger *slog.Logger
}

func (o *Options) withDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	if d.MaxContent <= 0 {
		d.MaxContent = DefaultMaxContent
	}
	if d.EditWindow == 0 {
		d.EditWindow = DefaultEditWindow
	}
	if d.MaxCatchUp <= 0 {
		d.MaxCatchUp = DefaultMaxCatchUp
	}
	if d.NewID == nil {
		d.NewID = func() MessageID { return MessageID(uuid.Must(uuid.NewV7()).String()) }
	}
	if d.Logger == nil {
		d.Logger = slog.Default()
	}
	if d.Publisher.Logger == nil {
		d.Publisher.Logger = d.Logger
	}
	return d
}
