package realtime

import "context"

// Revocation says who may go on listening to some channels.
type Revocation struct {
	// Channels are the channels that it applies to. Each needs a signature: a public channel is refused with
	// [ErrInvalidChannel].
	Channels []Channel
	// Keep holds the ids of the users who may go on listening. Everybody else is unsubscribed.
	Keep []string
	// Rev is the version of the data that Keep was read from. A revocation with a lower Rev than one that has been
	// applied to the same channel changes nothing there, so the order of arrival does not matter. Zero and negative
	// numbers have no order and are always applied.
	Rev int64
}

// Revoker is a transport that can end subscriptions.
type Revoker interface {
	// Revoke ends the subscriptions to r.Channels of all users but those in r.Keep. When it returns nil, this process
	// has done so; other processes follow without being waited for. A grant that was checked before the call (see
	// [Member.CheckedAt]) is worth nothing for a user outside r.Keep; a later one is. Revoke does not wait for clients,
	// and it is safe for concurrent use.
	Revoke(ctx context.Context, r Revocation) error
}

// Terminator is a transport that can end the connections of a user.
type Terminator interface {
	// TerminateUser closes every connection that is signed in as the user, and every one with a subscription that was
	// signed for the user, as far as the transport knows of these. Grants from before the call are worth nothing
	// afterwards, as far as the transport can tell. It is safe for concurrent use.
	TerminateUser(ctx context.Context, userID string) error
}

// Listener is one user who is subscribed to one channel, on any number of connections.
type Listener struct {
	UserID  string  // as the signature names the user
	Channel Channel // the subscription's channel
}

// AuthorizeFunc returns one value for each listener of the batch: whether the user may go on listening to the channel.
// With an error no listener is unsubscribed.
type AuthorizeFunc func(ctx context.Context, batch []Listener) (allowed []bool, err error)

// Rechecker is a transport that asks again and again whether its listeners may go on listening.
type Rechecker interface {
	// AuthorizeWith sets the function to ask, unless the transport was configured with one of its own. A second call
	// replaces the function of the first. It is safe for concurrent use.
	AuthorizeWith(f AuthorizeFunc)
	// Recheck starts a round of questions now instead of after the usual interval. It does not wait for the round, and
	// it is safe for concurrent use.
	Recheck()
}

// Find returns the first of b and the broadcasters it wraps that is a T, such as a [Revoker], and whether there is one.
// It steps from a broadcaster to the one inside through a method of the form Unwrap() Broadcaster.
func Find[T any](b Broadcaster) (T, bool) {
	for b != nil {
		if t, ok := b.(T); ok {
			return t, true
		}
		wrapper, ok := b.(interface{ Unwrap() Broadcaster })
		if !ok {
			break
		}
		b = wrapper.Unwrap()
	}
	var none T
	return none, false
}

// Unwrap returns the broadcaster that the relay sends to, for [Find].
func (r *Relay) Unwrap() Broadcaster { return r.to }
