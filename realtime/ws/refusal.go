package ws

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// refusal says why a request for a connection is refused. The zero value lets it
// in.
type refusal struct {
	code    pusherproto.Code
	reason  string
	setting string // the field of Config that changes it, or ""
}

func overCapacity(reason, setting string) refusal {
	return refusal{pusherproto.CodeOverCapacity, reason, setting}
}

// limitLogPause is the time between two lines about the same setting.
const limitLogPause = time.Minute

// limitLog logs which settings refuse something to clients, one line for each
// setting and minute, so that an operator learns what to change.
type limitLog struct {
	log *slog.Logger

	mu    sync.Mutex // guards lines
	lines map[string]*limitLine
}

// limitLine is what was logged about one setting, and what was not.
type limitLine struct {
	last    int64 // ticks
	skipped int
}

func newLimitLog(log *slog.Logger) *limitLog {
	return &limitLog{log: log, lines: make(map[string]*limitLine)}
}

// refused says that the field of Config has refused something.
func (l *limitLog) refused(setting string, attrs ...slog.Attr) {
	l.say(setting, "ws: a setting has refused something to a client", attrs...)
}

// say logs a line about a setting, unless there was one within the last minute.
func (l *limitLog) say(setting, message string, attrs ...slog.Attr) {
	times := l.due(setting, ticks(time.Now()))
	if times == 0 {
		return
	}
	attrs = append([]slog.Attr{slog.String("setting", "Config."+setting), slog.Int("times", times)}, attrs...)
	l.log.LogAttrs(context.Background(), slog.LevelWarn, message, attrs...)
}

// due counts one refusal. It returns how many a line would stand for, or 0 if it
// is too early for one.
func (l *limitLog) due(setting string, now int64) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := l.lines[setting]
	if line == nil {
		line = new(limitLine)
		l.lines[setting] = line
	} else if now-line.last < int64(limitLogPause) {
		line.skipped++
		return 0
	}
	times := line.skipped + 1
	*line = limitLine{last: now}
	return times
}

// maxLoggedOrigin bounds the part of a header that is logged.
const maxLoggedOrigin = 200

// logRefusal tells the operator which setting has refused a connection.
func (s *Server) logRefusal(r *http.Request, why refusal) {
	switch why.setting {
	case "":
	case "AllowedOrigins":
		s.limits.say(why.setting, "ws: a page of another origin was refused. Allow its origin, or, if a proxy in front "+
			"has changed the Host header of a page of your own, have the proxy pass the header on",
			slog.String("origin", shortened(r.Header.Get("Origin"))), slog.String("host", shortened(r.Host)))
	default:
		s.limits.refused(why.setting)
	}
}

func shortened(s string) string { return s[:min(len(s), maxLoggedOrigin)] }
