package realtimetest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// busCall is one call of the handler.
type busCall struct {
	kind  string // "frame", "up" or "down"
	shard uint8
	frame string
}

// busNode is a node of the cluster, and the handler that it runs with.
type busNode struct {
	e      *busEnv
	bus    realtime.Bus
	name   string
	stop   context.CancelFunc
	result chan error

	mu      sync.Mutex // guards what follows
	calls   []busCall
	up      bool
	told    bool
	busy    bool
	over    bool          // Run has returned
	changed chan struct{} // closed and replaced with every call
	hold    chan struct{} // if set, Frame returns when it is closed
}

// start makes a node, runs it until the test ends, and waits until it is up.
func (e *busEnv) start() *busNode {
	e.Helper()
	return e.startAs(e.name)
}

// startAs is start under another name.
func (e *busEnv) startAs(name string) *busNode {
	e.Helper()
	n := e.node()
	n.name = name
	n.run()
	n.waitUps(1)
	return n
}

func (e *busEnv) node() *busNode {
	return &busNode{e: e, bus: e.Node(e.T), name: e.name, changed: make(chan struct{})}
}

// run starts Run, which is ended with the test at the latest.
func (n *busNode) run() {
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	n.mu.Lock()
	n.over, n.up, n.told = false, false, false
	n.mu.Unlock()
	n.stop, n.result = cancel, result
	go func() {
		err := n.bus.Run(ctx, n.name, n)
		n.mu.Lock()
		n.over = true
		n.mu.Unlock()
		if ctx.Err() == nil {
			n.e.Errorf("Run() = %v before its context has ended", err)
		}
		result <- err
		close(result)
	}()
	n.e.Cleanup(func() {
		cancel()
		select {
		case <-result:
		case <-time.After(busPatience):
			n.e.Error("Run() does not return although its context has ended")
		}
	})
}

// end cancels Run and returns its result.
func (n *busNode) end() error {
	n.e.Helper()
	n.stop()
	select {
	case err := <-n.result:
		return err
	case <-time.After(busPatience):
		n.e.Fatal("Run() does not return although its context has ended")
		return nil
	}
}

// Frame implements [realtime.BusHandler]. It leaves other bytes in the frame than it found.
func (n *busNode) Frame(shard uint8, frame []byte) {
	hold := n.enter(busCall{"frame", shard, string(frame)})
	for i := range frame {
		frame[i] = '#'
	}
	if hold != nil {
		<-hold
	}
	n.leave()
}

// Up implements [realtime.BusHandler].
func (n *busNode) Up() {
	n.enter(busCall{kind: "up"})
	n.leave()
}

// Down implements [realtime.BusHandler].
func (n *busNode) Down(err error) {
	if err == nil {
		n.e.Error("Down(nil)")
	} else if strings.Contains(err.Error(), n.name) {
		n.e.Error("the error of Down shows the name")
	}
	n.enter(busCall{kind: "down"})
	n.leave()
}

// enter writes a call down and checks what holds for all calls.
func (n *busNode) enter(c busCall) (hold chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.over:
		n.e.Errorf("%s was called after Run had returned", c.kind)
	case n.busy:
		n.e.Errorf("%s was called before the last call had returned", c.kind)
	case c.kind == "up" && n.up:
		n.e.Error("up was called twice without down")
	case c.kind == "down" && !n.up && n.told:
		n.e.Error("down was called twice without up")
	case c.kind == "frame" && !n.up && !n.told:
		n.e.Error("a frame came before the first up")
	}
	switch c.kind {
	case "up":
		n.up = true
	case "down":
		n.up, n.told = false, true
	}
	n.busy = true
	n.calls = append(n.calls, c)
	close(n.changed)
	n.changed = make(chan struct{})
	return n.hold
}

func (n *busNode) leave() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.busy = false
}

// holdFrames makes Frame block until the returned function is called.
func (n *busNode) holdFrames() (release func()) {
	hold := make(chan struct{})
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hold = hold
	release = sync.OnceFunc(func() {
		n.mu.Lock()
		n.hold = nil
		n.mu.Unlock()
		close(hold)
	})
	n.e.Cleanup(release)
	return release
}

// all returns the calls so far.
func (n *busNode) all() []busCall {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.calls)
}

// count returns how many calls of this kind there were.
func (n *busNode) count(kind string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return countBusCalls(n.calls, kind)
}

func countBusCalls(calls []busCall, kind string) int {
	count := 0
	for _, c := range calls {
		if c.kind == kind {
			count++
		}
	}
	return count
}

// frames returns the frames that came on the shard.
func (n *busNode) frames(shard uint8) []string {
	var frames []string
	for _, c := range n.all() {
		if c.kind == "frame" && c.shard == shard {
			frames = append(frames, c.frame)
		}
	}
	return frames
}

// wait waits until the calls so far are as ok wants them.
func (n *busNode) wait(what string, ok func(calls []busCall) bool) {
	n.e.Helper()
	n.waitFor(busPatience, what, ok)
}

func (n *busNode) waitFor(patience time.Duration, what string, ok func(calls []busCall) bool) {
	n.e.Helper()
	timeout := time.After(patience)
	for {
		n.mu.Lock()
		good, changed := ok(n.calls), n.changed
		n.mu.Unlock()
		if good {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			n.e.Fatalf("%s: still not after %v", what, patience)
		}
	}
}

func (n *busNode) waitUps(count int) {
	n.e.Helper()
	n.wait("Up", func(calls []busCall) bool { return countBusCalls(calls, "up") >= count })
}

func (n *busNode) waitDowns(count int) {
	n.e.Helper()
	n.wait("Down", func(calls []busCall) bool { return countBusCalls(calls, "down") >= count })
}

// waitFrame waits until the frame has come.
func (n *busNode) waitFrame(shard uint8, frame string) {
	n.e.Helper()
	n.wait("the frame "+short(frame), func(calls []busCall) bool {
		return slices.Contains(calls, busCall{"frame", shard, frame})
	})
}

// publish publishes on an engine that works.
func (n *busNode) publish(shard uint8, frame string) {
	n.e.Helper()
	ctx, cancel := context.WithTimeout(n.e.Context(), busPatience)
	defer cancel()
	if err := n.bus.Publish(ctx, shard, []byte(frame)); err != nil {
		n.e.Fatalf("Publish() = %v", err)
	}
}

// expect waits until all the wanted frames have come on the shard, in any order
// and however often, and fails the case when another one has.
func (n *busNode) expect(shard uint8, want ...string) {
	n.e.Helper()
	for _, frame := range want {
		n.waitFrame(shard, frame)
	}
	for _, frame := range n.frames(shard) {
		if !slices.Contains(want, frame) {
			n.e.Fatalf("shard %d brought %s, want %s", shard, short(frame), list(want))
		}
	}
}

// fails calls Publish until it fails, because the engine is out of reach.
func (n *busNode) fails(shard uint8, frame string) {
	n.e.Helper()
	timeout := time.After(busPatience)
	for {
		ctx, cancel := context.WithTimeout(n.e.Context(), time.Second)
		err := n.bus.Publish(ctx, shard, []byte(frame))
		cancel()
		if err != nil {
			return
		}
		select {
		case <-time.After(busPause):
		case <-timeout:
			n.e.Fatal("Publish() = nil although the engine has been out of reach for long")
		}
	}
}
