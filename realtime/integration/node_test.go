package integration_test

import (
	"context"
	"testing"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// patience is how long a test waits for what has to come.
const patience = time.Minute

// watched is a bus that runs, and what it has received.
type watched struct {
	bus    realtime.Bus
	ups    chan struct{}
	downs  chan error // nil to let them pass
	frames chan string
}

// watchBus runs bus until tb ends, and returns when it is up.
func watchBus(tb testing.TB, bus realtime.Bus) *watched {
	w := &watched{bus: bus, ups: make(chan struct{}, 100), frames: make(chan string, 100_000)}
	runBus(tb, bus, w)
	select {
	case <-w.ups:
	case <-time.After(patience):
		tb.Fatal("the bus does not come up")
	}
	return w
}

// busName is the name of all nodes that the suite does not run.
const busName = "n0123456789abcdef"

// runBus runs bus under busName until tb ends.
func runBus(tb testing.TB, bus realtime.Bus, h realtime.BusHandler) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = bus.Run(ctx, busName, h)
	}()
	tb.Cleanup(func() {
		cancel()
		<-ended
	})
}

func (w *watched) Frame(_ uint8, frame []byte) { w.frames <- string(frame) }
func (w *watched) Up()                         { w.ups <- struct{}{} }

func (w *watched) Down(err error) {
	if w.downs != nil {
		w.downs <- err
	}
}

// next returns the next frame.
func (w *watched) next(tb testing.TB) string {
	select {
	case frame := <-w.frames:
		return frame
	case <-time.After(patience):
		tb.Fatal("no frame has come")
		return ""
	}
}
