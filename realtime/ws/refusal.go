package ws

import (
	"context"
	"errors"
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

// limitLog logs what refuses something to clients, one line for each kind and
// minute, so that an operator learns what to change.
type limitLog struct {
	log *slog.Logger

	mu    sync.Mutex // guards lines
	lines map[string]*limitLine
}

// limitLine is what was logged of one kind, and what was not.
type limitLine struct {
	last    int64 // ticks
	skipped int
}

func newLimitLog(log *slog.Logger) *limitLog {
	return &limitLog{log: log, lines: make(map[string]*limitLine)}
}

// refused says that the field of Config has refused something.
func (l *limitLog) refused(setting string) {
	l.say(setting, "ws: a setting has refused something to a client", slog.String("setting", "Config."+setting))
}

// say logs a line of one kind, unless there was one within the last minute.
func (l *limitLog) say(kind, message string, attrs ...slog.Attr) {
	if times := l.due(kind, ticks(time.Now())); times > 0 {
		l.log.LogAttrs(context.Background(), slog.LevelWarn, message, append(attrs, slog.Int("times", times))...)
	}
}

// due counts one refusal. It returns how many a line would stand for, or 0 if it
// is too early for one.
func (l *limitLog) due(kind string, now int64) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := l.lines[kind]
	if line == nil {
		line = new(limitLine)
		l.lines[kind] = line
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
			slog.String("setting", "Config.AllowedOrigins"), slog.String("origin", shortened(r.Header.Get("Origin"))),
			slog.String("host", shortened(r.Host)))
	default:
		s.limits.refused(why.setting)
	}
}

// logNoHijack tells the operator which middleware handshakes fail at.
func (s *Server) logNoHijack(err error) {
	var stuck *noHijackError
	if errors.As(err, &stuck) {
		s.limits.say("hijack", "ws: a handshake failed because the ResponseWriter of middleware can be neither hijacked nor "+
			"unwrapped. Mount the socket outside of that middleware, or give its ResponseWriter an Unwrap method",
			slog.String("response_writer", stuck.writer))
	}
}

func shortened(s string) string { return s[:min(len(s), maxLoggedOrigin)] }
