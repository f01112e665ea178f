package pusher

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/murph-chat/murph/realtime"
)

// maxSealed is the largest payload in bytes that the service still takes when it is sealed: base64 adds a third, and the
// nonce, the tag and the JSON around them some more.
const maxSealed = realtime.MaxEventData*3/4 - 128

// encryptedName is where the events of a private channel go when they are sealed.
func encryptedName(ch realtime.Channel) realtime.Channel {
	return realtime.Channel("private-encrypted-" + strings.TrimPrefix(string(ch), "private-"))
}

// masterKey returns what the vendor's client takes for the application's one
// key. The client derives the key of a channel from it and from the channel's
// name. With fixed names that would never change, and a user who was replaced
// would keep it, so the key depends on the audience there.
func (b *Broadcaster) masterKey(audience string) []byte {
	if b.cfg.FixedChannel == nil {
		audience = ""
	}
	mac := hmac.New(sha256.New, b.cfg.EncryptionKey)
	mac.Write([]byte("murph audience key 1\x00" + audience))
	return mac.Sum(nil)
}

// sharedSecret is the key of a channel as the vendor's client derives it, for the browser.
func sharedSecret(ch realtime.Channel, master []byte) string {
	sum := sha256.Sum256(append([]byte(ch), master...))
	return base64.StdEncoding.EncodeToString(sum[:])
}
