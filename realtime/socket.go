package realtime

import "errors"

// ErrInvalidSocketID is matched by the errors of [ParseSocketID].
var ErrInvalidSocketID = errors.New("realtime: invalid socket id")

// maxSocketID leaves room for two 64-bit numbers and the dot, and some.
const maxSocketID = 64

// SocketID names one connection of one browser tab. The server makes it when the connection opens and the client
// sends it along, so that the event that a request causes need not come back to the tab that caused it. The empty
// SocketID stands for no connection.
type SocketID string

// ParseSocketID checks s against the form that every Pusher SDK expects, two decimal numbers joined by a dot
// (`\A\d+\.\d+\z`), at most 64 bytes. The error is [ErrInvalidSocketID].
func ParseSocketID(s string) (SocketID, error) {
	if len(s) > maxSocketID {
		return "", ErrInvalidSocketID
	}
	dot := -1
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
		case c == '.' && dot < 0 && i > 0:
			dot = i
		default:
			return "", ErrInvalidSocketID
		}
	}
	if dot < 0 || dot == len(s)-1 {
		return "", ErrInvalidSocketID
	}
	return SocketID(s), nil
}
