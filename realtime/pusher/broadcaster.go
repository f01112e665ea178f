package pusher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	vendor "github.com/pusher/pusher-http-go/v5"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// Broadcaster sends events through hosted Pusher Channels, and signs for it. It is safe for concurrent use.
//
// One call is one attempt, because the API has no key to tell a repeat by. Wrap it with [realtime.NewRelay], which
// repeats, and reacts to each kind of refusal.
type Broadcaster struct {
	cfg    Config
	signer pusherproto.Signer
	stats  counters
}

var (
	_ realtime.BatchBroadcaster = (*Broadcaster)(nil)
	_ realtime.Signer           = (*Broadcaster)(nil)
	_ realtime.Terminator       = (*Broadcaster)(nil)
)

// New makes a Broadcaster. The error names everything that is wrong with cfg. It does not connect. With [PrivacyFull] it
// logs once that the content leaves the house.
func New(cfg Config) (*Broadcaster, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Privacy == PrivacyFull {
		cfg.Logger.Warn("pusher: the hosted service will see the content of messages", slog.Any("config", cfg))
	}
	return &Broadcaster{
		cfg:    cfg,
		signer: pusherproto.Signer{Credentials: pusherproto.Credentials{Key: cfg.Key, Secret: cfg.Secret}},
	}, nil
}

// Broadcast implements [realtime.Broadcaster]. Its errors are those of package realtime where a caller can act on them,
// with an [*APIError] within where the service has answered.
func (b *Broadcaster) Broadcast(ctx context.Context, ev realtime.Event) error {
	const op = "trigger"
	out, key, err := b.prepare(ev)
	if err != nil {
		return fmt.Errorf("pusher: %s: %w", op, err)
	}
	return b.trigger(ctx, op, key, func(c *vendor.Client) error {
		_, err := c.TriggerWithParams(out.Channel, out.Name, out.Data, vendor.TriggerParams{SocketID: out.SocketID})
		return err
	})
}

// prepare checks what the service would refuse and takes out what it should not see. The key is that of an event that
// the vendor's client has to seal.
func (b *Broadcaster) prepare(ev realtime.Event) (out vendor.Event, key []byte, err error) {
	if err := ev.Validate(); err != nil {
		return vendor.Event{}, nil, err
	}
	if b.cfg.FixedChannel != nil {
		if ev.Channel, err = realtime.ParseChannel(string(b.cfg.FixedChannel(ev.Channel))); err != nil {
			return vendor.Event{}, nil, fmt.Errorf("%w: Config.FixedChannel: %w", realtime.ErrInvalidEvent, err)
		}
	}
	switch kind := ev.Channel.Kind(); {
	case kind == realtime.KindEncrypted:
		err := errors.New("events for an encrypted channel are given with the private one")
		return vendor.Event{}, nil, &realtime.PermanentError{Err: err}
	case b.cfg.Privacy == PrivacyEncrypted && kind == realtime.KindPrivate:
		ev.Channel = encryptedName(ev.Channel)
		key = b.masterKey(ev.Audience)
		if len(ev.Data) > maxSealed && ev.Thin != nil {
			ev.Data = ev.Thin
		}
		if len(ev.Data) > maxSealed {
			return vendor.Event{}, nil, fmt.Errorf("%w: %w when it is sealed", realtime.ErrInvalidEvent, realtime.ErrTooLarge)
		}
	case b.cfg.Privacy != PrivacyFull && ev.Thin != nil:
		ev.Data = ev.Thin
	}
	if err := ev.Validate(); err != nil { // the thin form, and the longer name
		return vendor.Event{}, nil, err
	}
	out = vendor.Event{Channel: string(ev.Channel), Name: ev.Name, Data: []byte(ev.Data)}
	if ev.Except != "" {
		if _, err := realtime.ParseSocketID(string(ev.Except)); err != nil {
			return vendor.Event{}, nil, &realtime.PermanentError{Err: err}
		}
		except := string(ev.Except)
		out.SocketID = &except
	}
	return out, key, nil
}

// SignChannel implements [realtime.Signer]. Unless the privacy is full, a presence
// channel shows ids only. For an encrypted channel the grant contains the key,
// with [Config.FixedChannel] that of m.Audience.
func (b *Broadcaster) SignChannel(s realtime.SocketID, ch realtime.Channel, m *realtime.Member) (realtime.Grant, error) {
	var audience string
	if m != nil {
		audience = m.Audience
		if b.cfg.Privacy != PrivacyFull {
			m = &realtime.Member{UserID: m.UserID}
		}
	}
	grant, err := b.signer.SignChannel(s, ch, m)
	if err != nil || ch.Kind() != realtime.KindEncrypted {
		return grant, err
	}
	if b.cfg.Privacy != PrivacyEncrypted {
		return realtime.Grant{}, fmt.Errorf("pusher: sign channel: %w: nothing is sent there", realtime.ErrInvalidChannel)
	}
	grant.SharedSecret = sharedSecret(ch, b.masterKey(audience))
	return grant, nil
}

// AppKey returns the key that clients connect with, which is public.
func (b *Broadcaster) AppKey() string { return b.signer.Key }

// SignUser implements [realtime.Signer].
func (b *Broadcaster) SignUser(s realtime.SocketID, m realtime.Member) (realtime.UserGrant, error) {
	if b.cfg.Privacy != PrivacyFull {
		m.Info = nil
	}
	return b.signer.SignUser(s, m)
}
