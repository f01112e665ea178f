//go:build unix

package ws_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

func message() realtime.Event {
	return realtime.Event{
		Channel: lobby, Name: "new-message", Data: []byte(`{"content":"` + strings.Repeat("x", 280) + `"}`),
	}
}

// BenchmarkBroadcast is what the hub and the fan-out cost, without a kernel behind them. The allocations are those of
// one event, however many subscribers there are.
func BenchmarkBroadcast(b *testing.B) {
	for _, n := range []int{1, 1_000, 10_000} {
		b.Run(fmt.Sprintf("subscribers=%d", n), func(b *testing.B) {
			srv, err := ws.New(config())
			require.NoError(b, err)
			srv.AttachSinks(n, lobby)
			ev := message()
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, srv.Broadcast(b.Context(), ev))
				require.NoError(b, srv.Flush(b.Context()))
			}
			perDelivery(b, n)
		})
	}
}

// BenchmarkBroadcastChannels is the same with few subscribers for each of many channels, where what an event costs counts
// more than what a delivery does. Several events wait at a time, each on a channel of its own.
func BenchmarkBroadcastChannels(b *testing.B) {
	const channels, subscribers, waiting = 100, 10, 25
	srv, err := ws.New(config())
	require.NoError(b, err)
	events := make([]realtime.Event, channels)
	for i := range events {
		events[i] = message()
		events[i].Channel = realtime.Channel(fmt.Sprintf("chat-%d", i))
		srv.AttachSinks(subscribers, events[i].Channel)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if err := srv.Broadcast(b.Context(), events[n%channels]); err != nil {
			b.Fatal(err)
		}
		if n++; n%waiting == 0 {
			require.NoError(b, srv.Flush(b.Context()))
		}
	}
	perDelivery(b, subscribers)
}

// BenchmarkBroadcastSockets is the same over real sockets, with clients that throw away what they read.
func BenchmarkBroadcastSockets(b *testing.B) {
	for _, n := range []int{1, 1_000} {
		b.Run(fmt.Sprintf("subscribers=%d", n), func(b *testing.B) {
			srv, err := ws.New(config(func(c *ws.Config) { c.ConnectRate = ws.Rate{PerSecond: -1} }))
			require.NoError(b, err)
			host := httptest.NewServer(srv)
			defer host.Close()
			defer func() { _ = srv.Shutdown(ended()) }()
			for range n {
				sink(b, host.URL)
			}
			ev := message()
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, srv.Broadcast(b.Context(), ev))
				require.NoError(b, srv.Flush(b.Context()))
			}
			perDelivery(b, n)
		})
	}
}

// sink subscribes a client to the lobby.
func sink(b testing.TB, url string) {
	var conn net.Conn
	c, err := realtimetest.Dial(b.Context(), url+path, &realtimetest.DialOptions{
		Dial: func(ctx context.Context, network, addr string) (_ net.Conn, err error) {
			conn, err = new(net.Dialer).DialContext(ctx, network, addr)
			return conn, err
		},
	})
	require.NoError(b, err)
	require.NoError(b, c.Subscribe(b.Context(), lobby, realtime.Grant{}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, conn)
	}()
	b.Cleanup(func() {
		c.Cut()
		<-done
	})
}

func perDelivery(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/delivery")
}

// TestDeliveryAllocatesNothing compares what a broadcast to one and to many allocates, over sockets too. It is not
// parallel, because it counts the allocations of the whole process.
func TestDeliveryAllocatesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		many   int
		attach func(*ws.Server, int)
	}{
		"without a kernel": {1000, func(srv *ws.Server, n int) { srv.AttachSinks(n, lobby) }},
		"over sockets": {100, func(srv *ws.Server, n int) {
			host := httptest.NewServer(srv)
			t.Cleanup(host.Close)
			t.Cleanup(func() { _ = srv.Shutdown(ended()) })
			for range n {
				sink(t, host.URL)
			}
		}},
	} {
		allocations := func(subscribers int) float64 {
			srv, err := ws.New(config(func(c *ws.Config) { c.MaxQueueFrames = 1 << 20 }))
			require.NoError(t, err)
			c.attach(srv, subscribers)
			ev := message()
			return testing.AllocsPerRun(100, func() {
				if srv.Broadcast(t.Context(), ev) != nil || srv.Flush(t.Context()) != nil {
					t.Error("not delivered")
				}
			})
		}
		// One for each delivery would be many; some are the runtime's own.
		require.InDelta(t, allocations(1), allocations(c.many), float64(c.many)/20, name)
	}
}
