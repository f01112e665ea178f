package ws

import (
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// cacheSample is how many entries are looked at to find an old one to forget. Maps are walked in random order, so the
// choice is a fair one, and forgetting costs the same however many there are.
const cacheSample = 16

// cacheEntry is the last event that a server has published on a cache channel. It is kept while nobody is subscribed.
type cacheEntry struct {
	name, data string
	frame      []byte
	until      time.Time
}

// publish remembers an event of a cache channel and sends it, in one step: whoever subscribes gets it once, either as
// the remembered event or as a new one.
func (h *hub) publish(ev realtime.Event) {
	frame := textFrame(pusherproto.AppendEvent(nil, ev))
	h.change(func(h *change) {
		h.remember(ev.Channel, cacheEntry{ev.Name, string(ev.Data), frame, time.Now().Add(h.cfg.CacheTTL)})
		ch := h.channels[ev.Channel]
		if ch == nil {
			return
		}
		ch.missed = false
		for c := range ch.subs {
			if c.id != ev.Except {
				h.put(c, frame)
			}
		}
	})
}

// remember keeps e, in the place of an old entry if there are too many.
func (h *hub) remember(name realtime.Channel, e cacheEntry) {
	if _, ok := h.cache[name]; !ok && len(h.cache) >= h.cfg.MaxCachedEvents {
		var oldest realtime.Channel
		looked := 0
		for n, o := range h.cache {
			if oldest == "" || o.until.Before(h.cache[oldest].until) {
				oldest = n
			}
			if looked++; looked == cacheSample {
				break
			}
		}
		delete(h.cache, oldest)
	}
	h.cache[name] = e
}

// recall sends a new subscriber what the channel remembers.
func (h *change) recall(ch *channel, c *conn) {
	if !pusherproto.IsCache(ch.name) {
		return
	}
	e, ok := h.cache[ch.name]
	if ok && time.Now().Before(e.until) {
		h.put(c, e.frame)
		return
	}
	delete(h.cache, ch.name)
	h.put(c, textFrame(pusherproto.CacheMiss(ch.name)))
	if !ch.missed {
		ch.missed = true // one notice is enough to have somebody publish
		h.notices.add(notice{kind: noticeCacheMiss, channel: ch.name})
	}
}

// remembered returns what the channel remembers, or nil.
func (h *hub) remembered(name realtime.Channel) *cachedEvent {
	e, ok := h.cache[name]
	ttl := time.Until(e.until)
	if !ok || ttl <= 0 {
		return nil
	}
	return &cachedEvent{name: e.name, data: e.data, ttl: ttl}
}
