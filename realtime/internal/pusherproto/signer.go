package pusherproto

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// Signer is the [realtime.Signer] of both transports.
type Signer struct {
	Credentials
	// BindPrivate signs the user id of a member along with the subscription to a private channel, so that the server
	// knows whose it is. Only a server that reads channel_data on private channels accepts the result.
	BindPrivate bool
	// Stamp signs [realtime.Member.CheckedAt], or the current time, along with
	// a member or a user. The server then tells a grant from before a
	// revocation from a later one, and refuses one that is too old.
	Stamp bool
}

var _ realtime.Signer = Signer{}

// SignChannel implements [realtime.Signer].
func (g Signer) SignChannel(s realtime.SocketID, ch realtime.Channel, m *realtime.Member) (realtime.Grant, error) {
	if _, err := realtime.ParseSocketID(string(s)); err != nil {
		return realtime.Grant{}, fmt.Errorf("pusherproto: sign channel: %w", err)
	}
	if _, err := realtime.ParseChannel(string(ch)); err != nil {
		return realtime.Grant{}, fmt.Errorf("pusherproto: sign channel: %w", err)
	}
	kind := ch.Kind()
	switch {
	case kind == realtime.KindPublic:
		return realtime.Grant{}, fmt.Errorf("pusherproto: sign channel: %w: a public channel has no signature",
			realtime.ErrInvalidChannel)
	case kind == realtime.KindPresence && m == nil:
		return realtime.Grant{}, fmt.Errorf("pusherproto: sign channel: a presence channel needs a member")
	case kind != realtime.KindPresence && !g.BindPrivate:
		m = nil
	}
	var data string
	if m != nil {
		if err := checkMember(*m); err != nil {
			return realtime.Grant{}, err
		}
		cd := channelData{UserID: m.UserID}
		if kind == realtime.KindPresence {
			cd.UserInfo = m.Info
		}
		if g.Stamp {
			cd.IssuedAt = stamp(*m)
		}
		b, err := json.Marshal(cd)
		if err != nil {
			return realtime.Grant{}, fmt.Errorf("pusherproto: sign channel: %w", err)
		}
		data = string(b)
	}
	return realtime.Grant{Auth: g.ChannelAuth(s, ch, data), ChannelData: data}, nil
}

// SignUser implements [realtime.Signer].
func (g Signer) SignUser(s realtime.SocketID, m realtime.Member) (realtime.UserGrant, error) {
	if _, err := realtime.ParseSocketID(string(s)); err != nil {
		return realtime.UserGrant{}, fmt.Errorf("pusherproto: sign user: %w", err)
	}
	if err := checkMember(m); err != nil {
		return realtime.UserGrant{}, err
	}
	ud := userData{ID: m.UserID, UserInfo: m.Info}
	if g.Stamp {
		ud.IssuedAt = stamp(m)
	}
	b, err := json.Marshal(ud)
	if err != nil {
		return realtime.UserGrant{}, fmt.Errorf("pusherproto: sign user: %w", err)
	}
	return realtime.UserGrant{Auth: g.UserAuth(s, string(b)), UserData: string(b)}, nil
}

// stamp returns the time of a grant for m, in Unix milliseconds.
func stamp(m realtime.Member) int64 {
	if m.CheckedAt.IsZero() {
		return time.Now().UnixMilli()
	}
	return m.CheckedAt.UnixMilli()
}
