package ws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// How webhooks are sent, see [Webhook].
const (
	maxWebhookBatch  = 100
	maxWebhookBytes  = 16 << 20               // of events that wait for one endpoint
	webhookLinger    = 100 * time.Millisecond // to let a batch gather
	webhookFirstWait = time.Second
	webhookMaxWait   = time.Minute
	webhookGiveUp    = 5 * time.Minute
)

// webhookEvent is a notice on the wire. Data and user_id are strings, or the official SDK for Go refuses the whole
// request.
type webhookEvent struct {
	Name              noticeKind        `json:"name"`
	Channel           realtime.Channel  `json:"channel"`
	UserID            string            `json:"user_id,omitempty"`
	Event             string            `json:"event,omitempty"`
	Data              *string           `json:"data,omitempty"`
	SocketID          realtime.SocketID `json:"socket_id,omitempty"`
	SubscriptionCount *int              `json:"subscription_count,omitempty"`
}

func newWebhookEvent(n notice) webhookEvent {
	e := webhookEvent{Name: n.kind, Channel: n.channel, UserID: n.userID}
	switch n.kind {
	case noticeClientEvent:
		e.Event, e.Data, e.SocketID = n.event, &n.data, n.socketID
	case noticeSubscriptionCount:
		e.SubscriptionCount = &n.count
	}
	return e
}

// size is about what the event takes in memory and in a request.
func (e webhookEvent) size() int {
	n := 128 + len(e.Channel) + len(e.UserID) + len(e.Event)
	if e.Data != nil {
		n += len(*e.Data)
	}
	return n
}

// apart reports that the event must not share a request with others: the official SDK for Go tries to decrypt every
// event of an encrypted channel and refuses a request in which one has no data.
func (e webhookEvent) apart() bool {
	return e.Data == nil && e.Channel.Kind() == realtime.KindEncrypted
}

// webhookTarget sends events to one endpoint, in order. It has a goroutine only while events wait.
type webhookTarget struct {
	owner  *webhooks
	hook   Webhook
	client *http.Client
	creds  pusherproto.Credentials
	log    *slog.Logger
	max    int // events that wait

	sent, failures, dropped atomic.Uint64

	mu      sync.Mutex // guards what follows
	waiting []webhookEvent
	bytes   int
	pushed  int // events that were dropped for new ones and not logged yet
	running bool
}

func newWebhookTarget(owner *webhooks, hook Webhook, client *http.Client, cfg Config) *webhookTarget {
	t := &webhookTarget{
		owner: owner, hook: hook, client: client, creds: cfg.credentials(), max: cfg.MaxWebhookQueue, log: cfg.Logger,
	}
	if u, err := url.Parse(hook.URL); err == nil {
		t.log = t.log.With(slog.String("webhook_host", u.Host)) // the rest can hold a password
	}
	return t
}

// push is called with the owner open and its lock held.
func (t *webhookTarget) push(e webhookEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = append(t.waiting, e)
	t.bytes += e.size()
	for len(t.waiting) > t.max || t.bytes > maxWebhookBytes {
		t.bytes -= t.waiting[0].size()
		t.waiting[0] = webhookEvent{}
		t.waiting = t.waiting[1:]
		t.dropped.Add(1)
		t.pushed++
	}
	if !t.running {
		t.running = true
		t.owner.tasks.Go(t.run)
	}
}

func (t *webhookTarget) run() {
	for {
		t.pause(webhookLinger)
		t.logDrops()
		batch := t.take()
		if batch == nil {
			return
		}
		if t.deliver(batch) {
			t.sent.Add(uint64(len(batch)))
			continue
		}
		t.dropped.Add(uint64(len(batch)))
		if t.stopping() {
			t.forget() // an endpoint that fails now is not tried once for each request that is left
		}
	}
}

// logDrops says how many events had no room since the last request.
func (t *webhookTarget) logDrops() {
	t.mu.Lock()
	n := t.pushed
	t.pushed = 0
	t.mu.Unlock()
	if n > 0 {
		t.log.Warn("ws: webhook events had no room", slog.Int("events", n), slog.String("setting", "Config.MaxWebhookQueue"))
	}
}

// take removes the events of the next request, or ends the goroutine by returning none.
func (t *webhookTarget) take() []webhookEvent {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for n < min(len(t.waiting), maxWebhookBatch) && t.waiting[n].apart() == t.waiting[0].apart() {
		t.bytes -= t.waiting[n].size()
		n++
	}
	if n == 0 {
		t.running, t.waiting = false, nil
		return nil
	}
	batch := slices.Clone(t.waiting[:n])
	clear(t.waiting[:n])
	t.waiting = t.waiting[n:]
	return batch
}

// forget drops what waits.
func (t *webhookTarget) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropped.Add(uint64(len(t.waiting)))
	t.waiting, t.bytes = nil, 0
}

// pause waits for d, or for the moment when there is no more time to wait.
func (t *webhookTarget) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.owner.stop:
	}
}

func (t *webhookTarget) stopping() bool {
	select {
	case <-t.owner.stop:
		return true
	default:
		return false
	}
}

// deliver sends one request until it is taken, and reports whether it was. The body and its time stay the same, so that
// a receiver can tell a repetition.
func (t *webhookTarget) deliver(batch []webhookEvent) bool {
	start := time.Now()
	body, err := json.Marshal(struct {
		TimeMs int64          `json:"time_ms"`
		Events []webhookEvent `json:"events"`
	}{start.UnixMilli(), batch})
	for wait := webhookFirstWait; err == nil; wait = min(2*wait, webhookMaxWait) {
		last := t.stopping()
		if err = t.post(t.owner.ctx, body); err == nil {
			return true
		}
		t.failures.Add(1)
		jittered := wait/2 + rand.N(wait/2)
		if last || errors.Is(err, errNotPublic) || time.Since(start)+jittered > webhookGiveUp {
			break
		}
		t.log.Warn("ws: a webhook failed", slog.Any("err", err), slog.Duration("next_attempt_in", jittered))
		err = nil
		t.pause(jittered)
	}
	t.log.Error("ws: webhook events are lost", slog.Int("events", len(batch)), slog.Any("err", err))
	return false
}

// post makes one attempt. The error does not contain the URL.
func (t *webhookTarget) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.hook.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL is malformed")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "murph-webhooks")
	req.Header.Set("X-Pusher-Key", t.creds.Key)
	req.Header.Set("X-Pusher-Signature", t.creds.SignWebhook(body))
	res, err := t.client.Do(req)
	if err != nil {
		var withURL *url.Error
		if errors.As(err, &withURL) {
			err = withURL.Err
		}
		return err
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.CopyN(io.Discard, res.Body, 4<<10) // so that the connection can be used again
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	return nil
}
