package natsbus_test

import (
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/natsbus"
)

func ExampleNew() {
	conn, err := nats.Connect("nats://127.0.0.1:1", // the host's own
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1),
		nats.PingInterval(5*time.Second), nats.MaxPingsOutstanding(2), nats.FlusherTimeout(5*time.Second))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	bus, err := natsbus.New(conn, &natsbus.Options{Prefix: "clinic"})
	if err != nil {
		fmt.Println(err)
		return
	}
	var _ realtime.Bus = bus // for every node of the cluster
	fmt.Println(bus.MaxFrame())
	// Output: 65536
}
