package pusherproto

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/murph-chat/murph/realtime"
)

// The two liveness frames. Callers must not change the bytes.
var (
	FramePing = []byte(`{"event":"pusher:ping","data":{}}`)
	FramePong = []byte(`{"event":"pusher:pong","data":{}}`)
)

// Types of a pusher:subscription_error. pusher-js hands them to the application unread.
const (
	SubscriptionAuthError    = "AuthError"
	SubscriptionLimitReached = "LimitReached"
	SubscriptionUnsupported  = "Unsupported"
)

// AppendEvent appends the frame of an application's event. The payload is a string that contains JSON, which is what
// every official client expects. The event must have passed [realtime.Event.Validate].
func AppendEvent(dst []byte, ev realtime.Event) []byte {
	// What is escaped in the data is mostly the quotes of its keys.
	dst = slices.Grow(dst, len(ev.Name)+len(ev.Channel)+len(ev.Data)+len(ev.Data)/8+64)
	dst = append(dst, `{"event":`...)
	dst = AppendString(dst, ev.Name)
	dst = append(dst, `,"channel":`...)
	dst = AppendString(dst, string(ev.Channel))
	dst = append(dst, `,"data":`...)
	dst = AppendString(dst, ev.Data)
	return append(dst, '}')
}

// ConnectionEstablished makes the first frame of a connection. The data is a string, because the clients for Swift,
// Java and .NET take nothing else; activityTimeout is in seconds and must be above 0, or pusher-js hangs for ever.
func ConnectionEstablished(s realtime.SocketID, activityTimeout int) []byte {
	data := append([]byte(`{"socket_id":`), AppendString(nil, string(s))...)
	data = append(data, `,"activity_timeout":`...)
	data = strconv.AppendInt(data, int64(activityTimeout), 10)
	data = append(data, '}')

	b := append([]byte(nil), `{"event":"pusher:connection_established","data":`...)
	return append(AppendString(b, data), '}')
}

// SubscriptionSucceeded makes the answer to a subscription to a channel without members.
func SubscriptionSucceeded(ch realtime.Channel) []byte {
	b := append([]byte(nil), `{"event":"pusher_internal:subscription_succeeded","channel":`...)
	return append(AppendString(b, string(ch)), `,"data":"{}"}`...)
}

// SubscriptionError makes the answer to a refused subscription. kind is one of the Subscription constants, status is
// like that of an HTTP answer. The channel is a plain string because it may be one that is no channel name; it must be
// valid UTF-8.
func SubscriptionError(channel, kind, message string, status int) []byte {
	b := append([]byte(nil), `{"event":"pusher:subscription_error","channel":`...)
	b = append(AppendString(b, channel), `,"data":{"type":`...)
	b = append(AppendString(b, kind), `,"error":`...)
	b = append(AppendString(b, message), `,"status":`...)
	return append(strconv.AppendInt(b, int64(status), 10), `}}`...)
}

// Error makes a pusher:error frame; [CodeNone] is written as null.
func Error(code Code, message string) []byte {
	b := append([]byte(nil), `{"event":"pusher:error","data":{"code":`...)
	if code == CodeNone {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, int64(code), 10)
	}
	b = append(b, `,"message":`...)
	return append(AppendString(b, message), `}}`...)
}

// AppendString appends s as a JSON string. Bytes that are not UTF-8 become U+FFFD: a browser ends the connection over
// a text frame that has them. Nothing is escaped for HTML, frames go to a JSON parser.
func AppendString[T ~string | ~[]byte](dst []byte, s T) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= 0x20 && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
