package natsbus_test

import (
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/murph-chat/murph/realtime/natsbus"
)

// The suite runs in realtime/integration, on a real nats-server.

// connect makes a connection that tries for ever, to a port where nobody is.
func connect(t *testing.T, options ...nats.Option) *nats.Conn {
	t.Helper()
	conn, err := nats.Connect("nats://127.0.0.1:1", append(options, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	conn, deaf := connect(t), connect(t, nats.NoEcho())
	for name, try := range map[string]func() (*natsbus.Bus, error){
		"no connection":    func() (*natsbus.Bus, error) { return natsbus.New(nil, nil) },
		"NoEcho":           func() (*natsbus.Bus, error) { return natsbus.New(deaf, nil) },
		"a negative probe": func() (*natsbus.Bus, error) { return natsbus.New(conn, &natsbus.Options{Probe: -1}) },
		"a wildcard":       func() (*natsbus.Bus, error) { return natsbus.New(conn, &natsbus.Options{Prefix: "a.*"}) },
		"a space":          func() (*natsbus.Bus, error) { return natsbus.New(conn, &natsbus.Options{Prefix: "a b"}) },
		"an empty token":   func() (*natsbus.Bus, error) { return natsbus.New(conn, &natsbus.Options{Prefix: "a..b"}) },
	} {
		if bus, err := try(); err == nil || bus != nil {
			t.Errorf("New() with %s = %v, %v, want an error", name, bus, err)
		}
	}
	bus, err := natsbus.New(conn, &natsbus.Options{Prefix: "clinic.eu-1"})
	if err != nil || bus.MaxFrame() != 64<<10 {
		t.Errorf("New() = %v, %v", bus, err)
	}
}
