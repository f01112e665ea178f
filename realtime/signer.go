package realtime

import (
	"encoding/json"
	"time"
)

// Member is the person behind a subscription.
type Member struct {
	// UserID is the host's id of the person.
	UserID string
	// Info is a JSON object that the other members of a presence channel see, or nil.
	Info json.RawMessage
	// Audience is the [Event.Audience] of the events that the person may read, for transports with fixed channel names
	// that seal their events.
	Audience string
	// CheckedAt is the time just before the store was asked whether the person may listen. A transport compares it with
	// the times of revocations. The zero time stands for the time of the signature.
	CheckedAt time.Time
}

// Grant is the answer of a channel authorisation endpoint, in the form that pusher-js reads (Pusher Channels
// documentation, "Authorizing users"). It is a capability: it never belongs in a log.
type Grant struct {
	Auth         string `json:"auth"`                    // "<app key>:<hex HMAC-SHA256>"
	ChannelData  string `json:"channel_data,omitempty"`  // the member, exactly as signed
	SharedSecret string `json:"shared_secret,omitempty"` // base64 key of an encrypted channel
}

// UserGrant is the answer of a user authentication endpoint (Pusher Channels documentation, "Authenticating users").
type UserGrant struct {
	Auth     string `json:"auth"`
	UserData string `json:"user_data"` // the JSON that was signed
}

// Signer makes the signatures that let one connection subscribe to one channel, or sign in as one user. It decides
// nothing: the caller has already checked that the person may. Both methods compute only, return at once and are safe
// for concurrent use.
type Signer interface {
	// SignChannel signs the subscription of the connection s to the channel ch. It refuses a malformed socket id or
	// channel name, a public channel (which needs no signature), and a presence channel without a member. For the other
	// kinds m may be nil; a transport that can tie the subscription to the person does so when it is given.
	SignChannel(s SocketID, ch Channel, m *Member) (Grant, error)
	// SignUser signs the connection s in as m. It refuses a malformed socket id and an empty user id.
	SignUser(s SocketID, m Member) (UserGrant, error)
}
