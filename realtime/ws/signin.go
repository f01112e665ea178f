package ws

import (
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// signIn ties the connection to a user (Pusher Channels documentation, "Authenticating users"). pusher-js then subscribes
// to the user's own channel. What is refused is answered with an error frame; the connection goes on without a user.
func (c *conn) signIn(f pusherproto.ClientFrame) {
	refuse := func(code pusherproto.Code, message string) { c.send(pusherproto.Error(code, message)) }
	req, err := f.Signin()
	if err != nil {
		refuse(pusherproto.CodeNone, "Malformed sign-in")
		return
	}
	if !c.server.signer.VerifyUser(req.Auth, c.id, req.UserData) {
		refuse(pusherproto.CodeUnauthorized, "Invalid signature")
		return
	}
	user, err := pusherproto.ParseUserData(req.UserData)
	if err != nil {
		refuse(pusherproto.CodeUnauthorized, "Invalid user data")
		return
	}
	if len(user.Info) > c.server.cfg.MaxMemberInfo {
		c.server.limits.refused("MaxMemberInfo")
		refuse(pusherproto.CodeUnauthorized, "The user's info is too large")
		return
	}
	long := len(user.Watchlist) > maxWatchlist
	if long {
		user.Watchlist = user.Watchlist[:maxWatchlist]
	}
	switch c.server.hub.signIn(c, user, textFrame(pusherproto.SigninSuccess(user.Text))) {
	case subscribed:
		c.life.active.Store(true)
		c.life.authorized.Store(true)
		if long {
			refuse(pusherproto.CodeWatchlistTooLong, "The watchlist has more than 100 users; the others are ignored")
		}
	case notSignedIn:
		refuse(pusherproto.CodeUnauthorized, "Already signed in as another user")
	case noLongerAllowed:
		refuse(pusherproto.CodeUnauthorized, reasonRevoked)
	case tooManyConnections:
		c.server.limits.refused("MaxUserConnections")
		refuse(pusherproto.CodeOverCapacity, "Too many connections of this user")
	}
}
