package redisbus_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/murph-chat/murph/realtime/redisbus"
)

// The suite runs in realtime/integration, on a real Redis.

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{})
	t.Cleanup(func() { _ = client.Close() })
	for name, try := range map[string]func() (*redisbus.Bus, error){
		"no client":          func() (*redisbus.Bus, error) { return redisbus.New(nil, nil) },
		"a negative timeout": func() (*redisbus.Bus, error) { return redisbus.New(client, &redisbus.Options{Timeout: -1}) },
		"a negative probe":   func() (*redisbus.Bus, error) { return redisbus.New(client, &redisbus.Options{Probe: -1}) },
		"waits that cross": func() (*redisbus.Bus, error) {
			return redisbus.New(client, &redisbus.Options{MinWait: time.Second, MaxWait: time.Millisecond})
		},
	} {
		if bus, err := try(); err == nil || bus != nil {
			t.Errorf("New() with %s = %v, %v, want an error", name, bus, err)
		}
	}
	if bus, err := redisbus.New(client, nil); err != nil || bus.MaxFrame() != redisbus.MaxFrame {
		t.Errorf("New() = %v, %v", bus, err)
	}
}

// handler counts what Run reports.
type handler struct{ downs chan error }

func (h handler) Frame(uint8, []byte) {}
func (h handler) Up()                 {}
func (h handler) Down(err error)      { h.downs <- err }

// A server that takes connections and says nothing must not keep Run from ending.
func TestRunEndsWhileConnecting(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	client := redis.NewClient(&redis.Options{Addr: l.Addr().String()})
	t.Cleanup(func() { _ = client.Close() })
	bus, err := redisbus.New(client, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- bus.Run(ctx, "name", handler{make(chan error, 10)}) }()
	c, err := l.Accept() // it connects
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := bus.Run(t.Context(), "name", handler{}); err == nil || t.Context().Err() != nil {
		t.Errorf("a second Run() = %v, want an error at once", err)
	}
	cancel()
	if err := <-ended; err == nil || ctx.Err() == nil {
		t.Errorf("Run() = %v", err)
	}
}
