package chat

import (
	"context"
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

	DefaultHookTimeout = 2 * time.Second
)

// Rate limits how often one user may write.
type Rate = realtime.Rate

// defaultWriteRate is far above the rate at which people type, and far below the rate of a program that has gone wild.
var defaultWriteRate = Rate{PerSecond: 20, Burst: 100}

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
	// BeforeSend is asked about every text before it is stored, new or edited, also within a transaction of the host's,
	// once the store has said that the user takes part in the consultation, or has sent the message: that costs one more
	// read of the store. A [*RefusedError] refuses the text, with a reason that the sender sees. Any other error, a panic
	// and the end of its time are a failure: nothing is stored, and a repeat is asked about again. It cannot tell a repeat
	// of a send from the first attempt, so it must answer both in the same way. At most 256 calls run at once, those that
	// hang included; others wait for a turn, for HookTimeout at most, and then get [ErrHooksBusy]. It must be safe for
	// concurrent use. Defaults to no question.
	BeforeSend func(ctx context.Context, d Draft) error
	// AfterSend is told of every message that Send has stored, once, after the commit; not of a repeat, an edit or a
	// deletion, and not of a message of SendTx, whose commit is the host's to see. It runs beside the send and can neither
	// fail nor delay it: up to 8 calls at once, so in no certain order, and up to 1,000 messages wait. What is above is
	// dropped and logged, and what waits is lost when the process dies: it is for notifications, not for bookkeeping. Its
	// ctx has the values of the send's and ends after HookTimeout. A call that goes on after that is given up, logged and
	// counted, and the next message has its turn; while 100 such calls hang besides those 8, messages wait. A panic is
	// logged. See [Service.Wait]. Defaults to nothing.
	AfterSend func(ctx context.Context, m Message)
	// HookTimeout bounds one call of BeforeSend and AfterSend, whether it heeds its ctx or not. Defaults to
	// [DefaultHookTimeout].
	HookTimeout time.Duration
	// WriteRate limits how often one user may write, in this process: sends, edits, deletions and read marks together.
	// Above it they return a [*RateLimitError]. A repeat of a message that is stored already does not count, and is
	// answered above the rate too, if this process has stored or repeated that message lately (the last 50,000 with a
	// ClientMessageID at least); any other repeat above the rate has to wait like a new message. SendTx is not limited.
	// Defaults to 20 per second with a burst of 100; negative means no limit.
	WriteRate Rate
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
	if d.HookTimeout <= 0 {
		d.HookTimeout = DefaultHookTimeout
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
