package pusher

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// ErrWebhook is matched by the errors of [Broadcaster.Webhook] for a request that is not from the service.
var ErrWebhook = errors.New("pusher: webhook is not authenticated")

// Webhook is a report of the service (Pusher Channels documentation, "Webhooks").
type Webhook struct {
	Time   time.Time      // when the service made it
	Events []WebhookEvent // in their order
}

// WebhookEvent is one thing that has happened. Which fields are set depends on the name.
type WebhookEvent struct {
	Name     string            `json:"name"`               // "channel_occupied", "member_added", …
	Channel  realtime.Channel  `json:"channel"`            // where it happened
	UserID   string            `json:"user_id"`            // whom it is about, if it is about somebody
	Event    string            `json:"event"`              // name and data of a client event
	Data     string            `json:"data"`               // sealed as it came on an encrypted channel
	SocketID realtime.SocketID `json:"socket_id"`          // who has sent a client event
	Count    int               `json:"subscription_count"` // of a subscription_count
}

// Webhook reads the body of a webhook after it has checked the signature over it. It takes the place of the vendor's
// method, which refuses a whole report over one event of an encrypted channel. A report may come more than once.
func (b *Broadcaster) Webhook(h http.Header, body []byte) (Webhook, error) {
	if !b.signer.VerifyWebhook(h.Get("X-Pusher-Key"), h.Get("X-Pusher-Signature"), body) {
		return Webhook{}, ErrWebhook
	}
	var report struct {
		TimeMS int64          `json:"time_ms"`
		Events []WebhookEvent `json:"events"`
	}
	if err := json.Unmarshal(body, &report); err != nil {
		return Webhook{}, fmt.Errorf("pusher: webhook: %w", err)
	}
	return Webhook{Time: time.UnixMilli(report.TimeMS).UTC(), Events: report.Events}, nil
}
