package crowd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/chat/chattest"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

const appPath = "/app/murph-demo?protocol=7&client=go&version=1.0.0"

// tab is one browser tab.
type tab struct {
	person *person
	crowd  *Crowd
	ready  chan struct{} // closed when it is subscribed for the first time

	// Only the goroutine of live uses these two.
	named  channels // by the last answer of the server
	joined channels // on the open connection

	mu      sync.Mutex // guards what follows
	socket  realtime.SocketID
	log     *chattest.Log
	members map[string]bool
	own     map[string]bool // clientMessageIds that were sent from the socket that is open
	lost    time.Time       // when the last connection was lost, or zero
	opened  bool
}

func (t *tab) socketID() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.socket)
}

func (t *tab) expectNot(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.own != nil {
		t.own[key] = true
	}
}

// sent takes the answer to a message of the tab's own, of which it gets no event.
func (t *tab) sent(answer json.RawMessage) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.log.Apply(realtime.Event{Name: chat.EventNewMessage, Data: answer})
}

// live connects again and again until ctx ends, with the pauses of pusher-js: none after the codes 4200 to 4299, a second
// after everything else.
func (t *tab) live(ctx context.Context) {
	t.log = chattest.NewLog(t.person.room)
	for ctx.Err() == nil {
		err := t.visit(ctx)
		t.mu.Lock()
		t.socket, t.own = "", nil
		if t.lost.IsZero() {
			t.lost = time.Now()
		}
		t.mu.Unlock()
		pause := time.Second
		var closed *realtimetest.CloseError
		if errors.As(err, &closed) && closed.Code >= 4200 && closed.Code < 4300 {
			pause = 0
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// visit is one connection.
func (t *tab) visit(ctx context.Context) error {
	t.crowd.book.connects()
	dialling, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, err := realtimetest.Dial(dialling, "ws"+strings.TrimPrefix(t.person.url, "http")+appPath, nil)
	if err != nil {
		return err
	}
	defer c.Cut()
	t.mu.Lock()
	t.socket, t.own = c.SocketID(), make(map[string]bool)
	t.mu.Unlock()
	t.joined = channels{}
	if t.named == (channels{}) {
		if err := t.catchUp(dialling); err != nil {
			return err
		}
	}
	if err := t.follow(ctx, c); err != nil {
		return err
	}
	return t.listen(ctx, c)
}

// online is when everything is subscribed.
func (t *tab) online() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.opened {
		t.opened = true
		close(t.ready)
	} else if !t.lost.IsZero() {
		t.crowd.book.offline(time.Since(t.lost))
	}
	t.lost = time.Time{}
}

// listen takes what comes. A connection that is silent for too long is pinged, and given up when that does not help.
func (t *tab) listen(ctx context.Context, c *realtimetest.Client) error {
	for pinged := false; ; {
		reading, cancel := context.WithTimeout(ctx, 15*time.Second)
		f, err := c.Next(reading)
		silent := reading.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case silent && pinged:
			return errors.New("silent")
		case silent:
			pinged = true
			if err := c.Send(ctx, "pusher:ping", struct{}{}); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		pinged = false
		err = t.take(ctx, f)
		if errors.Is(err, errRefused) { // subscribe again, or ask for the present channels
			err = t.joined.leave(ctx, c)
			t.joined = channels{}
		}
		if err != nil {
			return err
		}
		if err := t.follow(ctx, c); err != nil {
			return err
		}
	}
}

// take acts on one message. It ignores channels that the tab has left.
func (t *tab) take(ctx context.Context, f realtimetest.Frame) error {
	presence := f.Channel == t.joined.PresenceChannel
	switch {
	case f.Channel == "" || !presence && f.Channel != t.joined.Channel:
		return nil
	case f.Event == "pusher:subscription_error":
		return fmt.Errorf("%s: %w", f.Channel, errRefused)
	case presence && f.Event == "pusher_internal:subscription_succeeded":
		return t.meet(f.Data)
	case presence && (f.Event == "pusher_internal:member_added" || f.Event == "pusher_internal:member_removed"):
		return t.member(f.Data, f.Event == "pusher_internal:member_added")
	case presence || f.IsProtocol():
		return nil
	}
	behind, err := t.apply(f)
	if err == nil && behind {
		err = t.catchUp(ctx)
	}
	return err
}

func (t *tab) apply(f realtimetest.Frame) (behind bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch f.Event {
	case chat.EventNewMessage:
		var m chat.Message
		if err := json.Unmarshal(f.Data, &m); err != nil {
			return false, err
		}
		t.crowd.book.delivered(time.Since(m.CreatedAt))
		if t.own[m.ClientMessageID] {
			t.crowd.book.echoed()
		}
	case chat.EventResyncRequired:
		t.crowd.book.resynced()
	}
	err = t.log.Apply(realtime.Event{Channel: f.Channel, Name: f.Event, Data: f.Data})
	return t.log.Behind(), err
}

// meet takes the list of who is there.
func (t *tab) meet(data json.RawMessage) error {
	var list struct {
		Presence struct{ IDs []string }
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.members = make(map[string]bool)
	for _, id := range list.Presence.IDs {
		t.members[id] = true
	}
	return nil
}

// member takes the news of one who has come or gone. Whoever is there cannot come, and whoever is not cannot go.
func (t *tab) member(data json.RawMessage, came bool) error {
	var who struct {
		UserID string `json:"user_id"`
	}
	if err := json.Unmarshal(data, &who); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.members[who.UserID] == came {
		t.crowd.book.contradicted()
	}
	if came {
		t.members[who.UserID] = true
	} else {
		delete(t.members, who.UserID)
	}
	return nil
}

// catchUp asks for changes until nothing is known to be missing.
func (t *tab) catchUp(ctx context.Context) error {
	for wait := 100 * time.Millisecond; ; {
		t.mu.Lock()
		path := fmt.Sprintf("/api/beratungen/%s?since=%d&epoch=%s", t.person.room, t.log.Rev(), t.log.Epoch())
		t.mu.Unlock()
		var answer struct {
			chat.Changes
			Read      map[consultation.UserID]chat.ReadMark
			Transport channels
		}
		t.crowd.book.catchesUp()
		if _, err := t.person.do(ctx, "GET", path, nil, &answer); err != nil {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(wait):
			}
			wait = min(2*wait, 2*time.Second)
			continue
		}
		t.named = answer.Transport
		t.mu.Lock()
		t.log.Merge(answer.Changes)
		behind := t.log.Behind()
		t.mu.Unlock()
		if !behind {
			return nil
		}
	}
}
