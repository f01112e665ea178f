package realtime

import (
	"errors"
	"fmt"
	"strings"
)

// MaxChannelLength is the longest channel name in bytes that the official server SDKs accept. Hosted Pusher Channels
// itself stops at 164; the names that package consultation builds stay below that.
const MaxChannelLength = 200

// ErrInvalidChannel is matched by the errors of [ParseChannel].
var ErrInvalidChannel = errors.New("realtime: invalid channel name")

// Channel is the name of a Pusher channel. Convert a string that comes from outside with [ParseChannel] only: names
// are part of what gets signed, and a name outside the protocol's charset can forge another signature.
type Channel string

// ChannelKind says who may subscribe to a channel and what its events look like. The prefix of the name decides it
// (Pusher Channels documentation, "Channel types").
type ChannelKind int

// The kinds of channels.
const (
	KindPublic    ChannelKind = iota // anybody who knows the application key
	KindPrivate                      // "private-": whoever has a signature
	KindEncrypted                    // "private-encrypted-": as private, and the payload is sealed for the subscribers
	KindPresence                     // "presence-": as private, and the subscribers see one another
)

// String returns the kind's name, for logs.
func (k ChannelKind) String() string {
	switch k {
	case KindPublic:
		return "public"
	case KindPrivate:
		return "private"
	case KindEncrypted:
		return "private-encrypted"
	case KindPresence:
		return "presence"
	}
	return fmt.Sprintf("ChannelKind(%d)", int(k))
}

// ParseChannel checks s against the protocol's rules for channel names: 1 to [MaxChannelLength] bytes out of
// [A-Za-z0-9_\-=@,.;]. The error matches [ErrInvalidChannel] and does not contain s.
func ParseChannel(s string) (Channel, error) {
	switch {
	case s == "":
		return "", fmt.Errorf("%w: it is empty", ErrInvalidChannel)
	case len(s) > MaxChannelLength:
		return "", fmt.Errorf("%w: %d bytes are more than %d", ErrInvalidChannel, len(s), MaxChannelLength)
	case !IsNameSafe(s):
		return "", fmt.Errorf("%w: it has a character outside [A-Za-z0-9_-=@,.;]", ErrInvalidChannel)
	}
	return Channel(s), nil
}

// Kind tells the channel's kind from its prefix.
func (c Channel) Kind() ChannelKind {
	switch s := string(c); {
	case strings.HasPrefix(s, "private-encrypted-"):
		return KindEncrypted
	case strings.HasPrefix(s, "private-"):
		return KindPrivate
	case strings.HasPrefix(s, "presence-"):
		return KindPresence
	}
	return KindPublic
}

// IsNameSafe reports whether every byte of s may stand in a channel name, that is, is one of [A-Za-z0-9_\-=@,.;].
// The empty string is safe.
func IsNameSafe(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '_', c == '-', c == '=', c == '@', c == ',', c == '.', c == ';':
		default:
			return false
		}
	}
	return true
}
