package chat

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/murph-chat/murph/consultation"
)

// InboxCursor is a place in the list of consultations: the activity of an item, and its id to tell equal times apart.
type InboxCursor struct {
	Activity time.Time       // when something last happened in the item
	ID       consultation.ID // the consultation of the item
}

// IsZero reports whether c is the start of the list.
func (c InboxCursor) IsZero() bool { return c == InboxCursor{} }

// String returns the cursor as one word for a URL, "" for the zero cursor. Its form may change; only
// [ParseInboxCursor] reads it.
func (c InboxCursor) String() string {
	if c.IsZero() {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "1.%d.%s", c.Activity.UnixMicro(), c.ID))
}

// ParseInboxCursor reads what [InboxCursor.String] has written. The error is a [*consultation.InvalidError].
func ParseInboxCursor(s string) (InboxCursor, error) {
	if s == "" {
		return InboxCursor{}, nil
	}
	invalid := &consultation.InvalidError{Field: "cursor", Reason: "must be the nextCursor of an earlier answer"}
	if len(s) > 4*consultation.MaxIDLength {
		return InboxCursor{}, invalid
	}
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return InboxCursor{}, invalid
	}
	parts := strings.SplitN(string(raw), ".", 3)
	if len(parts) != 3 || parts[0] != "1" {
		return InboxCursor{}, invalid
	}
	micros, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return InboxCursor{}, invalid
	}
	id, err := consultation.ParseID(parts[2])
	if err != nil {
		return InboxCursor{}, invalid
	}
	return InboxCursor{Activity: time.UnixMicro(micros).UTC(), ID: id}, nil
}
