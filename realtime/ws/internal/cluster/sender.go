package cluster

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/murph-chat/murph/realtime"
)

const (
	maxWaiting      = 16_384    // events that wait for the engine
	maxWaitingBytes = 32 << 20  // of these
	maxStateBytes   = 256 << 20 // of everything else: a snapshot is as large as the node is, and goes out whole or not at all
	publishTimeout  = time.Second
	complainEvery   = 10 * time.Second
)

// record is one that waits to be sent.
type record struct {
	shard   uint8
	kind    kind
	payload []byte
	beat    *heartbeat // instead of a payload: the sender adds the counters
}

// sender puts records into frames and gives them to the bus. Whatever waits goes out together, one frame for each shard
// if it fits. A frame that the bus does not take is not sent again: its number is missing, and so everybody knows.
type sender struct {
	node   NodeID
	bus    realtime.Bus
	logger *slog.Logger
	seal   *sealer

	ready chan struct{} // has a token when there is work

	mu      sync.Mutex // guards what follows
	waiting []record
	bytes   [2]int // of events, and of everything else
	events  int
	waking  bool                     // a call to look into the outbox waits, and one is enough
	skip    [realtime.BusShards]bool // a record was dropped, so that the next number must be left out
	closed  bool

	// The goroutine's.
	spare    []record
	counters [realtime.BusShards]uint64
	open     [realtime.BusShards][]byte // frames that have room
	order    []uint8                    // the shards with one
	complain time.Time

	sent, failed, dropped atomic.Uint64
}

func newSender(node NodeID, bus realtime.Bus, seal *sealer, logger *slog.Logger) *sender {
	return &sender{node: node, bus: bus, logger: logger, seal: seal, ready: make(chan struct{}, 1)}
}

// put queues a record, and reports false after close. It never blocks: one too many is dropped, and leaves a gap.
func (s *sender) put(r record) bool {
	s.mu.Lock()
	closed := s.closed
	class, full := 0, false
	if r.shard == 0 {
		class = 1
	} else if s.events++; s.events > maxWaiting {
		full = true
	}
	s.bytes[class] += len(r.payload)
	switch {
	case s.closed, r.kind == kindWake && s.waking:
	case full || s.bytes[class] > [...]int{maxWaitingBytes, maxStateBytes}[class]:
		s.skip[r.shard] = true
		s.dropped.Add(1)
	default:
		s.waking = s.waking || r.kind == kindWake
		s.waiting = append(s.waiting, r)
	}
	s.mu.Unlock()
	select {
	case s.ready <- struct{}{}:
	default:
	}
	return !closed
}

// close lets run end when all is sent.
func (s *sender) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// run sends until close, or the end of ctx.
func (s *sender) run(ctx context.Context) {
	for {
		select {
		case <-s.ready:
		case <-ctx.Done():
			return
		}
		s.mu.Lock()
		batch, closed := s.waiting, s.closed
		s.waiting, s.spare = s.spare[:0], nil
		s.bytes, s.events, s.waking = [2]int{}, 0, false
		for shard, skip := range s.skip {
			if skip {
				s.counters[shard]++
				s.skip[shard] = false
			}
		}
		s.mu.Unlock()
		for _, r := range batch {
			s.add(ctx, r)
		}
		s.flush(ctx)
		clear(batch)
		s.spare = batch[:0]
		if closed {
			return
		}
	}
}

// add puts r into its shard's open frame.
func (s *sender) add(ctx context.Context, r record) {
	room := s.bus.MaxFrame() - frameCost
	if r.beat != nil {
		s.flush(ctx) // so that the counters cover what was before
		counters := s.counters
		counters[0]++ // the frame that this goes into
		r.payload = r.beat.append(nil, &counters)
		for recordSize(len(r.payload)) > room && len(r.beat.suspects) > 0 { // they read no heartbeat in pieces
			r.beat.suspects = r.beat.suspects[:len(r.beat.suspects)/2]
			r.payload = r.beat.append(r.payload[:0], &counters)
		}
	}
	if recordSize(len(r.payload)) <= room {
		s.write(ctx, r.shard, r.kind, r.payload)
		return
	}
	whole := append([]byte{byte(r.kind)}, r.payload...)
	for piece := room - recordSize(0); len(whole) > piece; whole = whole[piece:] {
		s.write(ctx, r.shard, kindPart, whole[:piece])
	}
	s.write(ctx, r.shard, kindLastPart, whole)
}

func (s *sender) write(ctx context.Context, shard uint8, k kind, payload []byte) {
	f := s.open[shard]
	if len(f)+recordSize(len(payload))+chacha20poly1305.Overhead > s.bus.MaxFrame() {
		s.publish(ctx, shard)
		f = s.open[shard]
	}
	if len(f) == 0 {
		s.counters[shard]++
		f = begin(f, s.node, s.counters[shard])
		s.order = append(s.order, shard)
	}
	s.open[shard] = appendRecord(f, k, payload)
}

func (s *sender) flush(ctx context.Context) {
	for _, shard := range s.order {
		if len(s.open[shard]) > 0 {
			s.publish(ctx, shard)
		}
	}
	s.order = s.order[:0]
}

func (s *sender) publish(ctx context.Context, shard uint8) {
	f := s.seal.seal(shard, s.open[shard])
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	err := s.bus.Publish(ctx, shard, f)
	s.open[shard] = f[:0]
	if err == nil {
		s.sent.Add(1)
		return
	}
	s.failed.Add(1)
	if now := time.Now(); now.Sub(s.complain) >= complainEvery {
		s.complain = now
		s.logger.Warn("ws: the bus takes nothing; other nodes fetch what they miss from the database",
			slog.Int("bytes", len(f)), slog.Any("err", err))
	}
}
