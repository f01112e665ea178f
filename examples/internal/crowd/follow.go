package crowd

import (
	"context"
	"errors"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

// channels holds the names of one audience's channels, as the API calls them.
type channels struct {
	Channel, PresenceChannel realtime.Channel
}

// errRefused means that the server did not authorize a channel, or ended the subscription.
var errRefused = errors.New("the channel is refused")

// follow moves to the channels that the server named last, until these are the ones that it also names after the
// subscription.
func (t *tab) follow(ctx context.Context, c *realtimetest.Client) error {
	for t.joined != t.named {
		left := t.joined
		t.joined = t.named
		err := t.join(ctx, c)
		if err == nil {
			t.online()
		} else if !errors.Is(err, errRefused) {
			return err
		}
		if err := left.leave(ctx, c); err != nil {
			return err
		}
		// A refusal means that the channels may have changed.
		if asked := t.catchUp(ctx); asked != nil {
			return asked
		}
		if err != nil && t.joined == t.named {
			return err
		}
	}
	return nil
}

// leave unsubscribes from the channels that have a name.
func (ch channels) leave(ctx context.Context, c *realtimetest.Client) error {
	for _, name := range []realtime.Channel{ch.Channel, ch.PresenceChannel} {
		if name == "" {
			continue
		}
		if err := c.Unsubscribe(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// join subscribes to the channels of t.joined.
func (t *tab) join(ctx context.Context, c *realtimetest.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, ch := range []realtime.Channel{t.joined.PresenceChannel, t.joined.Channel} {
		grant, err := t.person.authorise(ctx, c.SocketID(), ch)
		if err != nil {
			return err
		}
		if err := t.subscribe(ctx, c, ch, grant); err != nil {
			return err
		}
	}
	return nil
}

// subscribe waits for the acknowledgement and takes whatever comes before it.
func (t *tab) subscribe(ctx context.Context, c *realtimetest.Client, ch realtime.Channel, g realtime.Grant) error {
	request := map[string]string{"channel": string(ch), "auth": g.Auth, "channel_data": g.ChannelData}
	if err := c.Send(ctx, "pusher:subscribe", request); err != nil {
		return err
	}
	for {
		f, err := c.Next(ctx)
		if err != nil {
			return err
		}
		if err := t.take(ctx, f); err != nil {
			return err
		}
		if f.Channel == ch && f.Event == "pusher_internal:subscription_succeeded" {
			return nil
		}
	}
}
