package realtime

import "context"

// Revoker is a transport that can end subscriptions. A service that finds its broadcaster to be one, or to be a wrapper
// around one, tells it when somebody may no longer listen.
type Revoker interface {
	// Revoke ends the subscriptions to ch of everybody but the users in keep, and of everybody if keep is empty. It is
	// done when it returns, as far as this process is concerned. A subscription made later is judged by the signature that
	// it comes with: one from before the call is of no use to anybody who is not in keep. It does not wait for clients,
	// and it is safe for concurrent use. A public channel is refused with [ErrInvalidChannel].
	Revoke(ctx context.Context, ch Channel, keep ...string) error
}

// Listener is one user who is subscribed to one channel, on any number of connections.
type Listener struct {
	UserID  string  // as the signature named them
	Channel Channel // what they are subscribed to
}

// Unwrap returns the broadcaster that the relay sends to, for [FindRevoker].
func (r *Relay) Unwrap() Broadcaster { return r.to }

// FindRevoker returns the first Revoker among b and what it wraps, step by step through methods of the form
// Unwrap() Broadcaster, or nil if there is none. Call it once, when b is put to use.
func FindRevoker(b Broadcaster) Revoker {
	for b != nil {
		if r, ok := b.(Revoker); ok {
			return r
		}
		wrapper, ok := b.(interface{ Unwrap() Broadcaster })
		if !ok {
			return nil
		}
		b = wrapper.Unwrap()
	}
	return nil
}
