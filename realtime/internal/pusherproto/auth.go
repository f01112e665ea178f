package pusherproto

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/murph-chat/murph/realtime"
)

// Credentials are the two halves of an application's identity. The key is public, the secret signs. No way of
// printing Credentials shows the secret.
type Credentials struct {
	Key    string
	Secret string
}

// ChannelAuth signs the subscription of the connection s to ch: "<key>:<hex HMAC-SHA256 of s:ch[:channelData]>"
// (Pusher Channels Protocol, "Authorizing users"). channelData is signed exactly as the client will send it; "" means
// none. The names must have been checked before: the signature of a name with a colon in it can be that of something
// else, a whole user's sign-in even.
func (c Credentials) ChannelAuth(s realtime.SocketID, ch realtime.Channel, channelData string) string {
	text := string(s) + ":" + string(ch)
	if channelData != "" {
		text += ":" + channelData
	}
	return c.Key + ":" + c.sign(text)
}

// UserAuth signs the connection s in: "<key>:<hex HMAC-SHA256 of s::user::userData>" ("Authenticating users").
func (c Credentials) UserAuth(s realtime.SocketID, userData string) string {
	return c.Key + ":" + c.sign(string(s)+"::user::"+userData)
}

// VerifyChannel reports whether auth is what [Credentials.ChannelAuth] makes, key included, in constant time.
func (c Credentials) VerifyChannel(auth string, s realtime.SocketID, ch realtime.Channel, channelData string) bool {
	return equal(auth, c.ChannelAuth(s, ch, channelData))
}

// VerifyUser reports whether auth is what [Credentials.UserAuth] makes, key included, in constant time.
func (c Credentials) VerifyUser(auth string, s realtime.SocketID, userData string) bool {
	return equal(auth, c.UserAuth(s, userData))
}

// SignWebhook signs the body of a webhook: hex HMAC-SHA256 of all its bytes (Pusher Channels documentation, "Webhooks",
// "Security").
func (c Credentials) SignWebhook(body []byte) string { return c.sign(string(body)) }

// VerifyWebhook reports whether key and signature are those of [Credentials.SignWebhook], in constant time.
func (c Credentials) VerifyWebhook(key, signature string, body []byte) bool {
	return equal(key, c.Key) && equal(signature, c.SignWebhook(body))
}

func (c Credentials) sign(text string) string {
	mac := hmac.New(sha256.New, []byte(c.Secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// equal compares text with text, so that a signature has one spelling only (lower-case hex).
func equal(got, want string) bool { return hmac.Equal([]byte(got), []byte(want)) }
