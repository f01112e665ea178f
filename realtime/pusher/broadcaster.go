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
	prepared, err := b.prepare(ev)
	if err != nil {
		return fmt.Errorf("pusher: trigger: %w", err)
	}
	return b.call(ctx, "trigger", func(c *vendor.Client) error {
		params := vendor.TriggerParams{SocketID: prepared.SocketID}
		_, err := c.TriggerWithParams(prepared.Channel, prepared.Name, prepared.Data, params)
		return err
	})
}

// BroadcastBatch implements [realtime.BatchBroadcaster]: all events go out, in order, or none does. It takes up to
// [MaxBatch] events.
func (b *Broadcaster) BroadcastBatch(ctx context.Context, evs []realtime.Event) error {
	switch {
	case len(evs) == 0:
		return nil
	case len(evs) > MaxBatch:
		err := fmt.Errorf("%w: %d events are more than %d", realtime.ErrInvalidEvent, len(evs), MaxBatch)
		return fmt.Errorf("pusher: trigger batch: %w", err)
	}
	batch := make([]vendor.Event, 0, len(evs))
	for _, ev := range evs {
		prepared, err := b.prepare(ev)
		if err != nil {
			return fmt.Errorf("pusher: trigger batch: %w", err)
		}
		batch = append(batch, prepared)
	}
	return b.call(ctx, "trigger batch", func(c *vendor.Client) error {
		_, err := c.TriggerBatch(batch)
		return err
	})
}

// prepare checks what the service would refuse and takes out what it should not see.
func (b *Broadcaster) prepare(ev realtime.Event) (vendor.Event, error) {
	if err := ev.Validate(); err != nil {
		return vendor.Event{}, err
	}
	if b.cfg.Privacy == PrivacyThin && ev.Thin != nil {
		ev.Data = ev.Thin
	}
	if ev.Channel.Kind() == realtime.KindEncrypted {
		return vendor.Event{}, &realtime.PermanentError{Err: errors.New("encrypted channels are not supported")}
	}
	out := vendor.Event{Channel: string(ev.Channel), Name: ev.Name, Data: []byte(ev.Data)}
	if ev.Except != "" {
		if _, err := realtime.ParseSocketID(string(ev.Except)); err != nil {
			return vendor.Event{}, &realtime.PermanentError{Err: err}
		}
		except := string(ev.Except)
		out.SocketID = &except
	}
	return out, nil
}

// SignChannel implements [realtime.Signer]. Unless the privacy is full, a presence channel shows ids only.
func (b *Broadcaster) SignChannel(s realtime.SocketID, ch realtime.Channel, m *realtime.Member) (realtime.Grant, error) {
	if m != nil && b.cfg.Privacy != PrivacyFull {
		m = &realtime.Member{UserID: m.UserID}
	}
	return b.signer.SignChannel(s, ch, m)
}

// SignUser implements [realtime.Signer].
func (b *Broadcaster) SignUser(s realtime.SocketID, m realtime.Member) (realtime.UserGrant, error) {
	if b.cfg.Privacy != PrivacyFull {
		m.Info = nil
	}
	return b.signer.SignUser(s, m)
}
