package integration_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/integration/redistest"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/redisbus"
)

// redisProbe makes a silent connection known soon enough for a test.
const redisProbe = 500 * time.Millisecond

func TestRedis(t *testing.T) {
	t.Parallel()
	realtimetest.RunBus(t, realtimetest.BusHarness{Open: func(tb testing.TB) realtimetest.BusEngine {
		server, engine := openRedis(tb)
		engine.Restart = server.Restart
		return engine
	}})
}

// TestRedisKills is TestRedis with connections that Redis itself ends.
func TestRedisKills(t *testing.T) {
	t.Parallel()
	realtimetest.RunBus(t, realtimetest.BusHarness{Open: func(tb testing.TB) realtimetest.BusEngine {
		server, engine := openRedis(tb)
		admin := redisClient(tb, server.Addr())
		engine.Cut, engine.Stall, engine.Heal = nil, nil, nil
		engine.Kick = func(tb testing.TB) {
			for _, kind := range []string{"pubsub", "normal"} {
				if err := admin.ClientKillByFilter(tb.Context(), "TYPE", kind, "SKIPME", "yes").Err(); err != nil {
					tb.Fatalf("CLIENT KILL: %v", err)
				}
			}
		}
		return engine
	}})
}

// openRedis starts a server, and a proxy between it and the nodes.
func openRedis(tb testing.TB) (*redistest.Server, realtimetest.BusEngine) {
	server := redistest.Start(tb)
	proxy := listenProxy(tb, server.Addr())
	admin := redisClient(tb, server.Addr())
	return server, realtimetest.BusEngine{
		Node: func(tb testing.TB) realtime.Bus {
			bus, err := redisbus.New(redisClient(tb, proxy.Addr()), &redisbus.Options{
				Probe: redisProbe, Timeout: time.Second, MinWait: 10 * time.Millisecond, MaxWait: 200 * time.Millisecond,
			})
			if err != nil {
				tb.Fatal(err)
			}
			return bus
		},
		Kick:   func(testing.TB) { proxy.Kick() },
		Cut:    func(testing.TB) { proxy.Cut() },
		Stall:  func(testing.TB) { proxy.Stall() },
		Heal:   func(testing.TB) { proxy.Heal() },
		Notice: 4 * redisProbe,
		Inject: func(tb testing.TB, name string, payload []byte) {
			if err := admin.Publish(tb.Context(), "murph:"+name, payload).Err(); err != nil {
				tb.Fatalf("PUBLISH: %v", err)
			}
		},
	}
}

// redisClient makes a client as the documentation of redisbus says.
func redisClient(tb testing.TB, addr string) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: addr, Protocol: 2})
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

func listenProxy(tb testing.TB, target string) *realtimetest.Proxy {
	proxy, err := realtimetest.ListenProxy(target)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(proxy.Close)
	return proxy
}

func TestRedisPrefixesAreApart(t *testing.T) {
	t.Parallel()
	client := redisClient(t, redistest.Start(t).Addr())
	one, two := watchBus(t, newRedis(t, client, "one")), watchBus(t, newRedis(t, client, "two"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, one.bus.Publish(ctx, 0, []byte("for one")))
	require.NoError(t, two.bus.Publish(ctx, 0, []byte("for two")))
	require.Equal(t, "for one", one.next(t))
	require.Equal(t, "for two", two.next(t))
}

func newRedis(tb testing.TB, client redis.UniversalClient, prefix string) *redisbus.Bus {
	bus, err := redisbus.New(client, &redisbus.Options{Prefix: prefix})
	if err != nil {
		tb.Fatal(err)
	}
	return bus
}
