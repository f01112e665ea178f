package ws

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// Webhook is an endpoint that is told what happens on the channels (Pusher Channels documentation, "Webhooks").
//
// It gets POST requests with a JSON body {"time_ms", "events": [{"name", "channel", ...}]}, at most 100 events each, the
// application's key in X-Pusher-Key and in X-Pusher-Signature the hexadecimal HMAC-SHA256 of the body. Any status of
// 2xx within 5 s takes the events; anything else, a redirect included, is a failure, and the same body is sent again
// after 1 s, 2 s and so on up to a minute, with jitter, for 5 minutes. Events can therefore arrive twice, and do arrive
// in order.
//
// What waits for an endpoint is bounded by [Config.MaxWebhookQueue] and 16 MiB. Above either the oldest events are
// dropped, because the newest tell how things stand; [Stats] counts them.
type Webhook struct {
	// URL is http or https. A host that is, or resolves to, an address that is not public is refused when the
	// connection is made, unless [Config.AllowPrivateWebhooks] is set.
	URL string
	// Events are the kinds of events that the endpoint gets: channel_occupied, channel_vacated, member_added,
	// member_removed, client_event, cache_miss, subscription_count. Defaults to all.
	Events []string
}

var webhookKinds = []noticeKind{noticeOccupied, noticeVacated, noticeMemberAdded, noticeMemberRemoved,
	noticeClientEvent, noticeCacheMiss, noticeSubscriptionCount}

// validate reports the first problem. Its text does not contain the URL, which can hold a password.
func (h Webhook) validate(allowPrivate bool) error {
	u, err := url.Parse(h.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("the URL is not like https://host/path")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !allowPrivate && !isPublic(ip) {
		return errors.New("the URL has an address that is not public, see Config.AllowPrivateWebhooks")
	}
	for _, e := range h.Events {
		if !slices.Contains(webhookKinds, noticeKind(e)) {
			return fmt.Errorf("unknown kind of events %q", e)
		}
	}
	return nil
}

func (h Webhook) wants(kind noticeKind) bool {
	return len(h.Events) == 0 || slices.Contains(h.Events, string(kind))
}

// webhookHold is how long the news that somebody has left is held back: who comes back within that time, because a page
// was reloaded, has never been away.
const webhookHold = 3 * time.Second

// cacheMissPause is how long one cache channel's misses count as one.
const cacheMissPause = 10 * time.Second

// webhooks turns notices into events for the endpoints. It has a goroutine only while something waits.
type webhooks struct {
	targets []*webhookTarget
	maxHeld int
	dropped atomic.Uint64 // after the end

	stop   chan struct{} // closed when there is no more time to wait for anything
	ctx    context.Context
	cancel context.CancelFunc // cuts what is still being sent
	tasks  sync.WaitGroup     // grows only while closed is false

	mu        sync.Mutex // guards what follows
	closed    bool
	held      map[heldKey]*heldBack
	order     []*heldBack // all held notices by age, and some that were withdrawn
	releasing bool
	missed    map[realtime.Channel]time.Time // the end of the pause
}

// heldKey names what a notice is about: a channel, or a member of it.
type heldKey struct {
	channel realtime.Channel
	userID  string // "" for the channel
}

func newWebhooks(cfg Config) *webhooks {
	w := &webhooks{
		maxHeld: cfg.MaxWebhookQueue,
		stop:    make(chan struct{}),
		held:    make(map[heldKey]*heldBack),
		missed:  make(map[realtime.Channel]time.Time),
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	client := newWebhookClient(cfg.AllowPrivateWebhooks)
	for _, hook := range cfg.Webhooks {
		w.targets = append(w.targets, newWebhookTarget(w, hook, client, cfg))
	}
	return w
}

// receive takes a notice. It never blocks.
func (w *webhooks) receive(n notice) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case n.channel[0] == '#': // a user's own channel is no affair of the application's
	case w.closed:
		w.dropped.Add(1)
	case n.kind == noticeVacated, n.kind == noticeMemberRemoved:
		w.hold(n)
	case n.kind == noticeOccupied, n.kind == noticeMemberAdded:
		if key := keyOf(n); w.held[key] != nil {
			w.held[key].kind = ""
			delete(w.held, key)
			return
		}
		w.send(n)
	case n.kind == noticeCacheMiss:
		if w.firstMiss(n.channel, time.Now()) {
			w.send(n)
		}
	default:
		w.send(n)
	}
}

func keyOf(n notice) heldKey { return heldKey{n.channel, n.userID} }

// hold keeps n for a while. When too many are held the oldest goes out early.
func (w *webhooks) hold(n notice) {
	h := &heldBack{n, time.Now()}
	w.held[keyOf(n)] = h
	w.order = append(w.order, h)
	if len(w.order) > w.maxHeld {
		w.releaseOldest()
	}
	if !w.releasing {
		w.releasing = true
		w.tasks.Go(w.release)
	}
}

// release sends what has been held long enough, and ends when nothing is held.
func (w *webhooks) release() {
	due := func() time.Duration { return time.Until(w.order[0].at.Add(webhookHold)) }
	for {
		w.mu.Lock()
		for len(w.order) > 0 && due() <= 0 {
			w.releaseOldest()
		}
		if len(w.order) == 0 {
			w.releasing = false
			w.mu.Unlock()
			return
		}
		wait := due()
		w.mu.Unlock()
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-w.stop: // and close has emptied the order
			t.Stop()
		}
	}
}

func (w *webhooks) releaseOldest() {
	h := w.order[0]
	w.order[0] = nil
	w.order = w.order[1:]
	if h.kind != "" {
		delete(w.held, keyOf(h.notice))
		w.send(h.notice)
	}
}

// takeBack returns what is held from after since, which is another node's to say now, and holds it no longer.
func (w *webhooks) takeBack(since time.Time) (back []heldBack) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.order {
		if h.kind == "" || !h.at.After(since) {
			continue
		}
		back = append(back, *h)
		delete(w.held, keyOf(h.notice))
		h.kind = ""
	}
	return back
}

func (w *webhooks) firstMiss(ch realtime.Channel, now time.Time) bool {
	if now.Before(w.missed[ch]) {
		return false
	}
	if len(w.missed) >= w.maxHeld {
		for ch, end := range w.missed {
			if !now.Before(end) {
				delete(w.missed, ch)
			}
		}
	}
	if len(w.missed) < w.maxHeld { // or each miss counts, until there is room
		w.missed[ch] = now.Add(cacheMissPause)
	}
	return true
}

func (w *webhooks) send(n notice) {
	for _, t := range w.targets {
		if t.hook.wants(n.kind) {
			t.push(newWebhookEvent(n))
		}
	}
}

// close sends what is held and what waits, one attempt each, and returns when all that is done or, soon after, when
// ctx ends. It may be called more than once.
func (w *webhooks) close(ctx context.Context) {
	w.mu.Lock()
	if !w.closed {
		for len(w.order) > 0 {
			w.releaseOldest()
		}
		w.closed = true
		close(w.stop)
	}
	w.mu.Unlock()
	defer context.AfterFunc(ctx, w.cancel)()
	w.tasks.Wait()
}
