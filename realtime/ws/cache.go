package ws

import (
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// cacheSample is how many entries are looked at to find an old one to forget. Maps are walked in random order, so the
// choice is a fair one, and forgetting costs the same however many there are.
const cacheSample = 16

// cacheSweep is how many times within CacheTTL what is over is looked for, at most.
const cacheSweep = 16

// cache is what the cache channels remember. It is guarded by the hub.
type cache struct {
	entries map[realtime.Channel]cacheEntry
	sweep   *time.Timer // forgets what is over; nil while there is nothing
	closed  bool        // nothing is remembered any more
}

// cacheEntry is the last event that a server has published on a cache channel. It is kept while nobody is subscribed.
type cacheEntry struct {
	name, data string
	audience   string // see [realtime.Event.Audience]
	until      time.Time
}

// publish remembers an event of a cache channel and sends it, in one step: whoever subscribes gets it once, either as
// the remembered event or as a new one.
func (h *hub) publish(ev realtime.Event) {
	frame := textFrame(pusherproto.AppendEvent(nil, ev))
	h.change(func(h *change) {
		h.remember(ev.Channel, cacheEntry{ev.Name, string(ev.Data), ev.Audience, time.Now().Add(h.cfg.CacheTTL)})
		ch := h.channels[ev.Channel]
		if ch == nil {
			return
		}
		for c, s := range ch.subs {
			if c.id != ev.Except && readerOf(c, s).mayRead(ev.Audience) {
				h.put(c, frame)
			}
		}
	})
}

// remember keeps e, in the place of an old entry if there are too many.
func (h *hub) remember(name realtime.Channel, e cacheEntry) {
	entries := h.cache.entries
	if h.cache.closed {
		return
	}
	if _, ok := entries[name]; !ok && len(entries) >= h.cfg.MaxCachedEvents {
		var oldest realtime.Channel
		looked := 0
		for n, o := range entries {
			if oldest == "" || o.until.Before(entries[oldest].until) {
				oldest = n
			}
			if looked++; looked == cacheSample {
				break
			}
		}
		delete(entries, oldest)
	}
	entries[name] = e
	if h.cache.sweep == nil {
		h.cache.sweep = time.AfterFunc(h.cfg.CacheTTL, h.forget)
	}
}

// forget drops what is over, and comes back for the rest.
func (h *hub) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	now, next := time.Now(), h.cfg.CacheTTL
	for name, e := range h.cache.entries {
		if left := e.until.Sub(now); left > 0 {
			next = min(next, left)
		} else {
			delete(h.cache.entries, name)
		}
	}
	if len(h.cache.entries) == 0 {
		h.cache.sweep = nil
		return
	}
	h.cache.sweep.Reset(max(next, h.cfg.CacheTTL/cacheSweep))
}

// forgetAll drops everything, for good.
func (h *hub) forgetAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cache.closed = true
	clear(h.cache.entries)
	if h.cache.sweep != nil {
		h.cache.sweep.Stop()
	}
}

// recall sends a new subscriber the event that the channel remembers. A
// subscriber who is not in the event's audience gets a cache miss.
func (h *change) recall(ch *channel, c *conn) {
	if !pusherproto.IsCache(ch.name) {
		return
	}
	last := h.remembered(ch.name)
	if last != nil && readerOf(c, ch.subs[c]).mayRead(last.audience) {
		ev := realtime.Event{Channel: ch.name, Name: last.name, Data: []byte(last.data)}
		h.put(c, textFrame(pusherproto.AppendEvent(nil, ev)))
		return
	}
	h.put(c, textFrame(pusherproto.CacheMiss(ch.name)))
	if last == nil {
		h.notices.add(notice{kind: noticeCacheMiss, channel: ch.name})
	}
}

// remembered returns what the channel remembers, or nil.
func (h *hub) remembered(name realtime.Channel) *cachedEvent {
	e, ok := h.cache.entries[name]
	ttl := time.Until(e.until)
	if !ok || ttl <= 0 {
		return nil
	}
	return &cachedEvent{name: e.name, data: e.data, audience: e.audience, ttl: ttl}
}
