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

// MaxBatch is how many events one call of [Broadcaster.BroadcastBatch] takes (HTTP API reference, "POST batch events").
const MaxBatch = 10

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
	_ realtime.Broadcaster      = (*Broadcaster)(nil)
	_ realtime.BatchBroadcaster = (*Broadcaster)(nil)
	_ realtime.Signer           = (*Broadcaster)(nil)
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
	return b.call(ctx, op, key, func(c *vendor.Client) error {
		_, err := c.TriggerWithParams(out.Channel, out.Name, out.Data, vendor.TriggerParams{SocketID: out.SocketID})
		return err
	})
}

// BroadcastBatch implements [realtime.BatchBroadcaster]. It takes up to [MaxBatch] events, in one call; with
// [PrivacyEncrypted] in one call each, because a call has one key.
func (b *Broadcaster) BroadcastBatch(ctx context.Context, evs []realtime.Event) error {
	const op = "trigger batch"
	if len(evs) == 0 {
		return nil
	}
	if len(evs) > MaxBatch {
		return fmt.Errorf("pusher: %s: %w: %d events are more than %d", op, realtime.ErrInvalidEvent, len(evs), MaxBatch)
	}
	batch := make([]vendor.Event, 0, len(evs))
	for _, ev := range evs {
		out, _, err := b.prepare(ev)
		if err != nil {
			return fmt.Errorf("pusher: %s: %w", op, err)
		}
		batch = append(batch, out)
	}
	if b.cfg.Privacy == PrivacyEncrypted {
		for _, ev := range evs {
			if err := b.Broadcast(ctx, ev); err != nil {
				return err
			}
		}
		return nil
	}
	return b.call(ctx, op, nil, func(c *vendor.Client) error {
		_, err := c.TriggerBatch(batch)
		return err
	})
}

// prepare checks what the service would refuse and takes out what it should not see. The key is that of an event that
// the vendor's client has to seal.
func (b *Broadcaster) prepare(ev realtime.Event) (out vendor.Event, key []byte, err error) {
	if err := ev.Validate(); err != nil {
		return vendor.Event{}, nil, err
	}
	switch kind := ev.Channel.Kind(); {
	case kind == realtime.KindEncrypted:
		err := errors.New("events for an encrypted channel are given with the private one")
		return vendor.Event{}, nil, &realtime.PermanentError{Err: err}
	case b.cfg.Privacy == PrivacyEncrypted && kind == realtime.KindPrivate:
		ev.Channel = encryptedName(ev.Channel)
		key = b.masterKey(ev.Audience)
		if len(ev.Data) > maxSealed {
			if ev.Thin == nil {
				return vendor.Event{}, nil, realtime.ErrTooLarge
			}
			ev.Data = ev.Thin
		}
	case b.cfg.Privacy != PrivacyFull && ev.Thin != nil:
		ev.Data = ev.Thin
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

// SignChannel implements [realtime.Signer]. Unless the privacy is full, a presence channel shows ids only. For an
// encrypted channel the grant has the key of the member's audience in it.
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
