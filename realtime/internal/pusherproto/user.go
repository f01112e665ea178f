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

// UserData is the user of a sign-in, with the users on the user's watchlist and
// the time of the grant.
type UserData struct {
	realtime.Member
	Watchlist []string
	// IssuedAt is the time that a [Signer] with Stamp has signed. It is zero in
	// the grants of other SDKs.
	IssuedAt time.Time
	// Text is the user_data with the id as a string: pusher-js refuses another one
	// in the answer to its sign-in.
	Text string
}

// ParseUserData reads the user_data of a sign-in. The id is a string, or an
// integer that counts as the string of its digits. It becomes part of a channel
// name, so it has 1 to [MaxUserID] bytes out of those of a name. The error
// matches [ErrMalformed].
func ParseUserData(s string) (UserData, error) {
	m, err := Object([]byte(s))
	if err != nil {
		return UserData{}, err
	}
	u := UserData{Text: s}
	if u.UserID, err = memberID(m, "id"); err != nil {
		return UserData{}, err
	}
	if _, ok := ParseUserChannel(string(UserChannel(u.UserID))); !ok {
		return UserData{}, malformed("id is missing, too long or has a character that a channel name cannot have")
	}
	if m["id"][0] != '"' {
		m["id"] = AppendString(nil, u.UserID)
		text, err := json.Marshal(m)
		if err != nil {
			return UserData{}, malformed("not JSON")
		}
		u.Text = string(text)
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

// SigninSuccess makes the answer to a sign-in, from which pusher-js reads the
// user. The data is an object, as documented, and not a string with one.
func SigninSuccess(userData string) []byte {
	b := append(AppendString([]byte(`{"event":"`+EventSigninSuccess+`","data":{"user_data":`), userData), '}')
	return append(b, '}')
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
