package realtimetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// frameCases are about frames on an engine that works.
func frameCases() []busCase {
	return []busCase{
		{"Everyone", says(
			"Publish hands frame to the engine for every node that runs under the same name, this one included.",
			"nil says that the frame is on its way",
			"Run receives the frames of all nodes that run under name and calls h for them",
			"Up says that what is published from now on arrives here.",
		), caseEveryone},
		{"Names", says("Nodes under different names do not hear each other.", "A name is 1 to 32 lower-case letters and digits."), caseNames},
		{"Bytes", says("Frame takes one frame"), caseBytes},
		{"Sizes", says(
			"It returns an error that matches [ErrTooLarge] for a frame above MaxFrame",
			"MaxFrame returns the largest frame that Publish takes, in bytes, at least 1,024.",
		), caseSizes},
		{"Shards", says("BusShards is how many shards a [Bus] has: 0 to BusShards-1."), caseShards},
		{"Reuse", says("The frame is not used after the return."), caseReuse},
		{"OwnFrame", says("which is the handler's own only until it returns"), caseOwnFrame},
		{"Strange", says("A frame can hold anything that others have written to the engine."), caseStrange},
	}
}

func caseEveryone(e *busEnv) {
	idle := e.node() // is there and does not run
	nodes := []*busNode{e.start(), e.start(), e.start()}
	for i, from := range nodes {
		frame := fmt.Sprintf("from %d", i)
		from.publish(3, frame)
		for _, to := range nodes {
			to.waitFrame(3, frame)
		}
	}
	for _, n := range nodes {
		n.expect(3, "from 0", "from 1", "from 2")
	}
	if calls := idle.all(); len(calls) > 0 {
		e.Errorf("a node that does not run was called: %v", calls)
	}
}

func caseNames(e *busEnv) {
	names := []string{e.name, e.name[:1], e.name[:31], busName()}
	var nodes [][2]*busNode // two for each name
	for _, name := range names {
		nodes = append(nodes, [2]*busNode{e.startAs(name), e.startAs(name)})
	}
	for i, pair := range nodes {
		for _, n := range pair {
			n.publish(3, fmt.Sprintf("for name %d", i))
		}
	}
	for i, pair := range nodes {
		e.flow(pair[0], pair[1]) // after which a frame for another name would have come
		for _, n := range pair {
			n.expect(3, fmt.Sprintf("for name %d", i))
		}
	}
}

func caseBytes(e *busEnv) {
	one, two := e.start(), e.start()
	frames := []string{"", "\x00", "\n", "\r\n", "'", `\`, `\x00`, "{}", "=", " ", "\xff\xfe", "ä€😀"}
	var every strings.Builder
	for b := range 256 {
		every.WriteByte(byte(b))
		frames = append(frames, string([]byte{byte(b)}))
	}
	frames = append(frames, every.String(), strings.Repeat("\x00", 1024), strings.Repeat("\xff", 1024), "end")
	for _, f := range frames {
		one.publish(7, f)
	}
	two.expect(7, frames...)
}

func caseSizes(e *busEnv) {
	one, two := e.start(), e.start()
	largest := one.bus.MaxFrame()
	if largest < 1024 {
		e.Fatalf("MaxFrame() = %d", largest)
	}
	want := []string{strings.Repeat("a", largest), strings.Repeat("\xff", largest), strings.Repeat("b", largest-1)}
	for i := range 4 * largest / 1024 { // no limit of the engine's lies just below it for several at once
		want = append(want, strings.Repeat(string(rune('c'+i%20)), 1024-i%5))
	}
	for _, extra := range []int{1, 2, 3, 1024, 1 << 20} {
		err := one.bus.Publish(e.Context(), 1, make([]byte, largest+extra))
		if !errors.Is(err, realtime.ErrTooLarge) {
			e.Errorf("Publish() of %d bytes more than MaxFrame = %v, want ErrTooLarge", extra, err)
		}
	}
	for _, f := range append(want, "end") {
		one.publish(1, f)
	}
	two.expect(1, append(want, "end")...)
}

func caseShards(e *busEnv) {
	one, two := e.start(), e.start()
	for shard := range uint8(realtime.BusShards) {
		one.publish(shard, fmt.Sprintf("shard %d", shard))
	}
	for _, n := range []*busNode{one, two} {
		for shard := range uint8(realtime.BusShards) {
			n.expect(shard, fmt.Sprintf("shard %d", shard))
		}
	}
}

func caseReuse(e *busEnv) {
	const count = 100
	one, two := e.start(), e.start()
	buffer := make([]byte, 64)
	var want []string
	for i := range count {
		frame := fmt.Sprintf("%064d", i)
		copy(buffer, frame)
		want = append(want, frame)
		if err := one.bus.Publish(e.Context(), 2, buffer); err != nil {
			e.Fatalf("Publish() = %v", err)
		}
		clear(buffer)
	}
	for _, n := range []*busNode{one, two} {
		n.expect(2, want...)
	}
}

// The handler of each node overwrites what it is given.
func caseOwnFrame(e *busEnv) {
	nodes := []*busNode{e.start(), e.start(), e.start()}
	frame := strings.Repeat("own ", 16)
	buffer := []byte(frame)
	if err := nodes[0].bus.Publish(e.Context(), 4, buffer); err != nil {
		e.Fatalf("Publish() = %v", err)
	}
	for _, n := range nodes {
		n.expect(4, frame)
	}
	if string(buffer) != frame {
		e.Errorf("the publisher's frame has become %s", short(string(buffer)))
	}
}

func caseStrange(e *busEnv) {
	e.need(e.Inject != nil, "Inject")
	one, two := e.start(), e.start()
	for _, payload := range []string{
		"", "x", "\x00", "{", strings.Repeat("A", 17), strings.Repeat("z", 6000), "AAAA====", "\xff\xff\xff\xff",
	} {
		e.Inject(e.T, e.name, []byte(payload))
	}
	e.flow(one, two)
	one.publish(5, "good")
	two.expect(5, "good")
	for _, n := range []*busNode{one, two} {
		if downs := n.count("down"); downs > 0 {
			e.Errorf("%d calls of Down for what others have written", downs)
		}
	}
}

// publishCases are about calls of Publish that are not alone, or too late.
func publishCases() []busCase {
	return []busCase{
		{"Concurrent", says("Every method is safe for concurrent use."), caseConcurrent},
		{"EndedContext", says("ctx's error once ctx has ended"), caseEndedContext},
		{"OneAtATime", says(
			"Its methods are called one at a time; they return soon, because the bus cannot receive meanwhile, and do not call the Bus.",
		), caseOneAtATime},
		{"Slow", says(
			"Down says that frames may be lost from now on, or have been lost since the last call, until the next Up.",
		), caseSlow},
	}
}

func caseConcurrent(e *busEnv) {
	const senders, each = 4, 50
	nodes := []*busNode{e.start(), e.start(), e.start()}
	var wg sync.WaitGroup
	for i, n := range nodes {
		for sender := range senders {
			wg.Go(func() {
				for k := range each {
					if err := n.bus.Publish(e.Context(), uint8(sender%2), fmt.Appendf(nil, "%d.%d %d", i, sender, k)); err != nil {
						e.Errorf("Publish() = %v", err)
						return
					}
					_ = n.bus.MaxFrame()
				}
			})
		}
	}
	wg.Wait()
	if e.Failed() {
		return
	}
	total := len(nodes) * senders * each
	for _, n := range nodes {
		n.wait("all frames", func(calls []busCall) bool {
			different := map[string]bool{}
			for _, c := range calls {
				if c.kind == "frame" {
					different[c.frame] = true
				}
			}
			return len(different) >= total
		})
	}
}

func caseEndedContext(e *busEnv) {
	one, two := e.start(), e.start()
	canceled, cancel := context.WithCancel(e.Context())
	cancel()
	expired, release := context.WithDeadline(e.Context(), time.Now().Add(-time.Second))
	defer release()
	for ctx, want := range map[context.Context]error{canceled: context.Canceled, expired: context.DeadlineExceeded} {
		if err := one.bus.Publish(ctx, 6, []byte("too late")); !errors.Is(err, want) {
			e.Errorf("Publish() = %v, want %v", err, want)
		}
	}
	one.publish(6, "in time")
	two.expect(6, "in time")
}

func caseOneAtATime(e *busEnv) {
	one, two := e.start(), e.start()
	release := two.holdFrames()
	one.publish(0, "first")
	two.waitFrame(0, "first") // and its call goes on
	for shard := range uint8(4) {
		one.publish(shard, "second")
		one.waitFrame(shard, "second")
	}
	if e.Kick != nil {
		e.Kick(e.T)
		one.waitUps(2)
	}
	if n := len(two.all()); n != 2 {
		e.Errorf("%d calls, although the second one has not returned", n)
	}
	release()
	e.flow(one, two)
}

func caseSlow(e *busEnv) {
	const count = 5000
	one, two := e.start(), e.start()
	padding := strings.Repeat(".", 500)
	release := two.holdFrames()
	for i := range count {
		one.publish(0, fmt.Sprintf("%06d%s", i, padding))
	}
	release()
	last := fmt.Sprintf("%06d%s", count-1, padding)
	two.wait("all frames, or Down", func(calls []busCall) bool {
		return countBusCalls(calls, "frame") >= count || countBusCalls(calls, "down") > 0
	})
	if two.count("down") == 0 {
		two.waitFrame(0, last)
	} else {
		two.waitUps(2)
		e.flow(one, two)
	}
}
