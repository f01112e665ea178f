package pusherproto

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/murph-chat/murph/realtime"
)

// MaxUserID is the longest user id in bytes (Pusher Channels documentation, "Presence channels").
const MaxUserID = 128

// channelData is what is signed for a subscription that belongs to a person. The order of the fields is the order on
// the wire, and that of the official SDKs.
type channelData struct {
	UserID   string          `json:"user_id"`
	UserInfo json.RawMessage `json:"user_info,omitempty"`
	IssuedAt int64           `json:"signed_at,omitempty"` // Unix milliseconds
}

// userData is what is signed for a sign-in.
type userData struct {
	ID       string          `json:"id"`
	UserInfo json.RawMessage `json:"user_info,omitempty"`
	IssuedAt int64           `json:"signed_at,omitempty"` // Unix milliseconds
}

// ChannelData is the user of a subscription, and the time of the grant.
type ChannelData struct {
	realtime.Member
	// IssuedAt is the time that a [Signer] with Stamp has signed. It is zero in
	// the grants of other SDKs.
	IssuedAt time.Time
}

// ParseChannelData reads the channel_data of a subscription. A user_id that is a
// JSON integer counts as the string of its digits: Laravel and the
// documentation's own example send numbers. UserID is "" if there is none, which
// only presence channels do not allow. The info may be any JSON value. The error
// matches [ErrMalformed].
func ParseChannelData(s string) (ChannelData, error) {
	m, err := Object([]byte(s))
	if err != nil {
		return ChannelData{}, err
	}
	id, err := memberID(m, "user_id")
	if err != nil {
		return ChannelData{}, err
	}
	d := ChannelData{Member: realtime.Member{UserID: id, Info: info(m)}}
	if d.IssuedAt, err = issuedAt(m); err != nil {
		return ChannelData{}, err
	}
	return d, nil
}

// issuedAt returns the signed_at of m, or the zero time if there is none.
func issuedAt(m map[string]json.RawMessage) (time.Time, error) {
	raw, ok := m["signed_at"]
	if !ok {
		return time.Time{}, nil
	}
	ms, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return time.Time{}, malformed("signed_at is not an integer")
	}
	return time.UnixMilli(ms), nil
}

// memberID reads the user id m[name], a string or an integer of at most
// MaxUserID bytes. An id that is absent or null is "".
func memberID(m map[string]json.RawMessage, name string) (string, error) {
	id := string(m[name])
	switch {
	case id == "null" || strings.HasPrefix(id, `"`):
		var err error
		if id, err = member(m, name); err != nil {
			return "", err
		}
	case strings.Trim(id, "0123456789") != "":
		return "", malformed(name + " is neither a string nor an integer")
	}
	if len(id) > MaxUserID {
		return "", malformed(name + " is too long")
	}
	return id, nil
}

// info returns the user_info of m without white space, or nil if there is none.
func info(m map[string]json.RawMessage) json.RawMessage {
	raw := m["user_info"]
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil // cannot be: object has checked it
	}
	return b.Bytes()
}

// checkMember refuses a person that a client or a hosted server would refuse. The error contains no part of m.
func checkMember(m realtime.Member) error {
	switch {
	case m.UserID == "":
		return fmt.Errorf("pusherproto: the member has no user id")
	case len(m.UserID) > MaxUserID:
		return fmt.Errorf("pusherproto: a user id of %d bytes is more than %d", len(m.UserID), MaxUserID)
	case !utf8.ValidString(m.UserID) || strings.ContainsRune(m.UserID, 0):
		return fmt.Errorf("pusherproto: the user id is not valid text")
	}
	if m.Info != nil {
		if _, err := Object(m.Info); err != nil {
			return fmt.Errorf("pusherproto: the member's info: %w", err)
		}
	}
	return nil
}
