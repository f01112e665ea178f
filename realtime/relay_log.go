package realtime

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// logPause is the time between two log lines about the same call of the outbox.
const logPause = time.Minute

// outboxLog decides which failures of the outbox are logged. A relay calls the
// outbox several times a second, and while the database is down all calls fail.
type outboxLog struct {
	mu    sync.Mutex // guards lines
	lines map[string]logged
}

// logged is when a message was logged, and how often it was not since then.
type logged struct {
	at      time.Time
	skipped int
}

// due counts a failure. It reports whether to log it, and how many were not
// logged before it.
func (l *outboxLog) due(message string) (ok bool, skipped int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, last := time.Now(), l.lines[message]
	if !last.at.IsZero() && now.Sub(last.at) < logPause {
		last.skipped++
		l.lines[message] = last
		return false, 0
	}
	if l.lines == nil {
		l.lines = make(map[string]logged)
	}
	l.lines[message] = logged{at: now}
	return true, last.skipped
}

// logOutbox logs that a call of the outbox has failed, once a minute for each of
// the messages, which are constants.
func (r *Relay) logOutbox(ctx context.Context, message string, err error) {
	ok, skipped := r.troubles.due(message)
	if !ok {
		return
	}
	attrs := []slog.Attr{slog.Any("err", err)}
	if skipped > 0 {
		attrs = append(attrs, slog.Int("not_logged", skipped))
	}
	r.opts.Logger.LogAttrs(ctx, slog.LevelWarn, message, attrs...)
}
