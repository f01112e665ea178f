package pusherproto

import (
	"encoding/json"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// Signin is the data of pusher:signin.
type Signin struct {
	Auth     string // "<app key>:<signature>"
	UserData string // JSON text exactly as it was signed
}

// Signin reads the frame's data. The error matches [ErrMalformed].
func (f ClientFrame) Signin() (Signin, error) {
	m, err := f.object()
	if err != nil {
		return Signin{}, err
	}
	var s Signin
	if s.Auth, err = member(m, "auth"); err != nil {
		return Signin{}, err
	}
	if s.UserData, err = member(m, "user_data"); err != nil {
		return Signin{}, err
	}
	return s, nil
}

// UserData is the user of a sign-in, the users on the user's watchlist, and
// the time of the grant.
type UserData struct {
	realtime.Member
	Watchlist []string
	// IssuedAt is the time that a [Signer] with Stamp has signed. It is zero in
	// the grants of other SDKs.
	IssuedAt time.Time
}

// ParseUserData reads the user_data of a sign-in. The id has to be a string, since pusher-js takes nothing else, of 1
// to [MaxUserID] bytes out of those of a channel name, since it becomes part of one. The error matches [ErrMalformed].
func ParseUserData(s string) (UserData, error) {
	m, err := Object([]byte(s))
	if err != nil {
		return UserData{}, err
	}
	var u UserData
	if u.UserID, err = member(m, "id"); err != nil {
		return UserData{}, err
	}
	if _, ok := ParseUserChannel(string(UserChannel(u.UserID))); !ok {
		return UserData{}, malformed("id is missing, too long or has a character that a channel name cannot have")
	}
	u.Info = info(m)
	if u.IssuedAt, err = issuedAt(m); err != nil {
		return UserData{}, err
	}
	if list, ok := m["watchlist"]; ok {
		if err := json.Unmarshal(list, &u.Watchlist); err != nil {
			return UserData{}, malformed("watchlist is not a list of strings")
		}
	}
	return u, nil
}

// SigninSuccess makes the answer to a sign-in. pusher-js reads the user from the very text that was signed.
func SigninSuccess(userData string) []byte {
	data := append(AppendString([]byte(`{"user_data":`), userData), '}')
	return append(AppendString([]byte(`{"event":"pusher:signin_success","data":`), data), '}')
}

// WatchlistEvents tells a user who of their watchlist is, or has come, online, and who offline. An empty list is left
// out.
func WatchlistEvents(online, offline []string) []byte {
	data := []byte(`{"events":[`)
	for _, e := range []struct {
		name string
		ids  []string
	}{{"online", online}, {"offline", offline}} {
		if len(e.ids) == 0 {
			continue
		}
		if data[len(data)-1] == '}' {
			data = append(data, ',')
		}
		data = append(AppendString(append(data, `{"name":`...), e.name), `,"user_ids":[`...)
		for i, id := range e.ids {
			if i > 0 {
				data = append(data, ',')
			}
			data = AppendString(data, id)
		}
		data = append(data, `]}`...)
	}
	data = append(data, `]}`...)
	return append(AppendString([]byte(`{"event":"pusher_internal:watchlist_events","data":`), data), '}')
}
