package integration_test

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/integration/redistest"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// benchFrame is the size of a frame that carries a chat message.
const benchFrame = 600

// benchBuses are the engines, each with a function that makes a node, without a proxy and with the defaults.
func benchBuses() []struct {
	name string
	open func(b *testing.B) func() realtime.Bus
} {
	return []struct {
		name string
		open func(b *testing.B) func() realtime.Bus
	}{
		{"inmem", func(*testing.B) func() realtime.Bus {
			hub := new(inmem.BusHub)
			return func() realtime.Bus { return hub.Node() }
		}},
		{"redis", func(b *testing.B) func() realtime.Bus {
			addr := redistest.Start(b).Addr()
			return func() realtime.Bus { return newRedis(b, redisClient(b, addr), "bench") }
		}},
		{"nats", func(b *testing.B) func() realtime.Bus {
			s, _ := openNATS(b)
			return func() realtime.Bus { return newNATS(b, natsConn(b, s.server.Addr().String()), "bench") }
		}},
		{"postgres", func(b *testing.B) func() realtime.Bus {
			dsn := pgtest.Database(b)
			return func() realtime.Bus { return newPostgres(b, dsn, nil) }
		}},
	}
}

// meter is a handler that measures how long frames take.
type meter struct {
	watched
	mu    sync.Mutex
	took  []time.Duration
	count int
	more  chan struct{} // has room for one signal
}

func (m *meter) Frame(_ uint8, frame []byte) {
	sent := time.Unix(0, int64(binary.BigEndian.Uint64(frame)))
	m.mu.Lock()
	m.took = append(m.took, time.Since(sent))
	m.count++
	m.mu.Unlock()
	select {
	case m.more <- struct{}{}:
	default:
	}
}

// wait waits until so many frames have come.
func (m *meter) wait(b *testing.B, count int) {
	timeout := time.After(patience)
	for {
		m.mu.Lock()
		there := m.count
		m.mu.Unlock()
		if there >= count {
			return
		}
		select {
		case <-m.more:
		case <-timeout:
			b.Fatalf("%d of %d frames have come", there, count)
		}
	}
}

// report adds what a frame took from Publish on one node to the handler of the other.
func (m *meter) report(b *testing.B) {
	slices.Sort(m.took)
	at := func(share float64) float64 {
		return float64(m.took[int(share*float64(len(m.took)-1))]) / float64(time.Millisecond)
	}
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// pair starts two nodes, and measures at the second one what the first one publishes.
func pair(b *testing.B, open func(b *testing.B) func() realtime.Bus) (realtime.Bus, *meter) {
	node := open(b)
	from, to := node(), node()
	meters := [2]*meter{}
	for i, bus := range []realtime.Bus{from, to} {
		m := &meter{watched: watched{ups: make(chan struct{}, 100)}, more: make(chan struct{}, 1)}
		runBus(b, bus, m)
		<-m.ups
		meters[i] = m
	}
	return from, meters[1]
}

func stamped() []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 0, benchFrame), uint64(time.Now().UnixNano()))[:benchFrame]
}

// BenchmarkBusLatency publishes 200 frames a second, as for a busy chat.
func BenchmarkBusLatency(b *testing.B) {
	for _, bus := range benchBuses() {
		b.Run(bus.name, func(b *testing.B) {
			from, m := pair(b, bus.open)
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for b.Loop() {
				<-tick.C
				if err := from.Publish(b.Context(), 0, stamped()); err != nil {
					b.Fatal(err)
				}
			}
			m.wait(b, b.N)
			m.report(b)
		})
	}
}

// BenchmarkBusThroughput publishes from eight goroutines as fast as it is taken, until all has come to the other node.
func BenchmarkBusThroughput(b *testing.B) {
	for _, bus := range benchBuses() {
		b.Run(bus.name, func(b *testing.B) {
			from, m := pair(b, bus.open)
			b.ReportAllocs()
			b.SetBytes(benchFrame)
			const senders, most = 8, 2000 // so many are on their way at most: none may be lost
			frames := make(chan []byte)
			var wg sync.WaitGroup
			for range senders {
				wg.Go(func() {
					for frame := range frames {
						if err := from.Publish(context.Background(), 0, frame); err != nil {
							b.Error(err)
						}
					}
				})
			}
			n := 0
			for b.Loop() {
				frames <- stamped()
				if n++; n%most == 0 {
					m.wait(b, n)
				}
			}
			close(frames)
			wg.Wait()
			m.wait(b, n)
			b.StopTimer()
		})
	}
}
