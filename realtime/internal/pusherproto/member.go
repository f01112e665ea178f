package pusherproto

import (
	"encoding/json"
	"fmt"
	"strings"
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
}

// userData is what is signed for a sign-in.
type userData struct {
	ID       string          `json:"id"`
	UserInfo json.RawMessage `json:"user_info,omitempty"`
}

// ParseChannelData reads the channel_data of a subscription. A user_id that is a JSON integer counts as the string of
// its digits: Laravel and the documentation's own example send numbers. The error matches [ErrMalformed].
func ParseChannelData(s string) (realtime.Member, error) {
	m, err := object([]byte(s))
	if err != nil {
		return realtime.Member{}, err
	}
	id := string(m["user_id"])
	if strings.HasPrefix(id, `"`) {
		if id, err = member(m, "user_id"); err != nil {
			return realtime.Member{}, err
		}
	} else if strings.Trim(id, "0123456789") != "" {
		return realtime.Member{}, malformed("user_id is neither a string nor an integer")
	}
	if id == "" || len(id) > MaxUserID {
		return realtime.Member{}, malformed("user_id is missing or too long")
	}
	info := m["user_info"]
	if len(info) > 0 && info[0] != '{' {
		return realtime.Member{}, malformed("user_info is not an object")
	}
	return realtime.Member{UserID: id, Info: info}, nil
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
		if _, err := object(m.Info); err != nil {
			return fmt.Errorf("pusherproto: the member's info: %w", err)
		}
	}
	return nil
}
