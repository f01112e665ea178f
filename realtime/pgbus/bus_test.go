package pgbus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/murph-chat/murph/realtime/pgbus"
)

// The suite runs in realtime/integration, on a real PostgreSQL.

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	config, err := pgx.ParseConfig("postgres://nobody@127.0.0.1:1/none")
	if err != nil {
		t.Fatal(err)
	}
	for name, opts := range map[string]*pgbus.Options{
		"a space":           {Prefix: "a b"},
		"a quote":           {Prefix: `a"b`},
		"a prefix too long": {Prefix: "a234567890123456789012345678901"},
		"a negative time":   {Probe: -1},
		"waits that cross":  {MinWait: time.Second, MaxWait: time.Millisecond},
		"too little room":   {MaxPending: 100},
	} {
		if bus, err := pgbus.New(config, opts); err == nil || bus != nil {
			t.Errorf("New() with %s = %v, %v, want an error", name, bus, err)
		}
	}
	if bus, err := pgbus.New(nil, nil); err == nil || bus != nil {
		t.Errorf("New(nil) = %v, %v, want an error", bus, err)
	}
	bus, err := pgbus.New(config, nil)
	if err != nil || bus.MaxFrame() != pgbus.MaxFrame {
		t.Errorf("New() = %v, %v", bus, err)
	}
	if config.RuntimeParams["application_name"] != "" {
		t.Error("New() has changed the configuration")
	}
	if err := bus.Publish(t.Context(), 0, nil); !errors.Is(err, pgbus.ErrNotConnected) {
		t.Errorf("Publish() = %v, want %v", err, pgbus.ErrNotConnected)
	}
	if err := bus.Publish(t.Context(), 16, nil); err == nil || errors.Is(err, pgbus.ErrNotConnected) {
		t.Errorf("Publish() to shard 16 = %v", err)
	}
}

// handler lets a test see Down.
type handler struct{ downs chan error }

func (h handler) Frame(uint8, []byte) {}
func (h handler) Up()                 {}
func (h handler) Down(err error)      { h.downs <- err }

func TestRunIsAlone(t *testing.T) {
	t.Parallel()
	config, err := pgx.ParseConfig("postgres://nobody@127.0.0.1:1/none?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	bus, err := pgbus.New(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	h := handler{make(chan error, 1)}
	ended := make(chan error, 1)
	go func() { ended <- bus.Run(ctx, "name", h) }()
	if err := <-h.downs; err == nil {
		t.Error("Down(nil)")
	}
	if err := bus.Run(t.Context(), "name", h); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("a second Run() = %v, want an error at once", err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Run() = %v, want %v", err, context.Canceled)
	}
}
