package consultation

import (
	"fmt"
	"strings"

	"github.com/murph-chat/murph/realtime"
)

// MaxIDLength is the longest id in bytes: with the longest prefix it still fits a channel name of hosted Pusher.
const MaxIDLength = 128

// ID names a consultation. The host may choose it; the library makes UUIDv7.
type ID string

// UserID names a person in the host's own terms.
type UserID string

// ParseID checks that s can be an id: 1 to [MaxIDLength] bytes out of [A-Za-z0-9_\-=@,.;], because the id becomes part
// of a channel name, and without "..", because it becomes part of a path. The error is an [*InvalidError].
func ParseID(s string) (ID, error) {
	return ID(s), checkID("consultationId", s)
}

// ParseUserID checks s by the rules of [ParseID].
func ParseUserID(s string) (UserID, error) {
	return UserID(s), checkID("userId", s)
}

func checkID(field, s string) error {
	switch {
	case s == "":
		return &InvalidError{Field: field, Reason: "must not be empty"}
	case len(s) > MaxIDLength:
		return &InvalidError{Field: field, Reason: fmt.Sprintf("must be at most %d bytes long", MaxIDLength)}
	case !realtime.IsNameSafe(s) || strings.Contains(s, ".."):
		return &InvalidError{Field: field, Reason: "must consist of A-Z a-z 0-9 _ - = @ , . ; without two dots in a row"}
	}
	return nil
}
