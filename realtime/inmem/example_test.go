package inmem_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
)

// A host tests what its own code does when the transport fails.
func ExampleBroadcaster_FailWith() {
	var b inmem.Broadcaster
	b.FailWith(func(ev realtime.Event) error {
		if ev.Name == "new-message" {
			return errors.New("the transport is down")
		}
		return nil
	})
	for _, name := range []string{"new-message", "messages-read"} {
		fmt.Println(b.Broadcast(context.Background(), realtime.Event{Channel: "private-a", Name: name, Data: []byte(`{}`)}))
	}
	fmt.Println(len(b.Events()))
	// Output:
	// inmem: broadcast: the transport is down
	// <nil>
	// 1
}

// printer is told what arrives on a bus.
type printer struct{ got chan string }

func (p printer) Up()                         { p.got <- "up" }
func (p printer) Down(error)                  {}
func (p printer) Frame(_ uint8, frame []byte) { p.got <- string(frame) }

// Two nodes on one engine.
func ExampleBusHub() {
	var hub inmem.BusHub
	one, other := hub.Node(), hub.Node()
	ctx, stop := context.WithCancel(context.Background())
	quiet, p, ended := printer{make(chan string, 2)}, printer{make(chan string)}, make(chan error, 2)
	go func() { ended <- one.Run(ctx, "cluster", quiet) }()
	fmt.Println(<-quiet.got)
	go func() { ended <- other.Run(ctx, "cluster", p) }()
	fmt.Println(<-p.got)
	if err := one.Publish(ctx, 0, []byte("a frame")); err != nil {
		fmt.Println(err)
	}
	fmt.Println(<-p.got)
	stop()
	fmt.Println(<-ended)
	// Output:
	// up
	// up
	// a frame
	// inmem: run: context canceled
}
