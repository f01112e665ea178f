package realtimetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// runCases are about the beginning and the end of Run.
func runCases() []busCase {
	return []busCase{
		{"Cancel", says(
			"until ctx ends, and returns ctx's error",
			"Nothing is called after it has returned.",
		), caseCancel},
		{"RunAgain", says("One Bus is run once at a time."), caseRunAgain},
		{"Stopped", says("While the bus does not run, or the engine cannot be reached, it returns an error"), caseStopped},
	}
}

func caseCancel(e *busEnv) {
	one, two := e.start(), e.start()
	one.publish(0, "before")
	two.waitFrame(0, "before")
	if err := two.end(); !errors.Is(err, context.Canceled) {
		e.Errorf("Run() = %v, want %v", err, context.Canceled)
	}
	calls := len(two.all())
	for i := range 20 {
		one.publish(0, fmt.Sprint(i))
	}
	one.waitFrame(0, "19")
	if e.Kick != nil {
		e.Kick(e.T)
		one.waitUps(2)
		e.flow(one)
	}
	if n := len(two.all()); n != calls {
		e.Errorf("%d calls after Run has returned", n-calls)
	}
}

func caseRunAgain(e *busEnv) {
	one, two := e.start(), e.start()
	for i := range 3 {
		_ = two.end() // Cancel looks at what it returns
		missed := fmt.Sprintf("missed %d", i)
		one.publish(0, missed)
		one.waitFrame(0, missed)
		two.run()
		two.waitUps(i + 2)
		one.publish(0, fmt.Sprint(i))
		two.waitFrame(0, fmt.Sprint(i))
		two.publish(1, fmt.Sprint(i))
		one.waitFrame(1, fmt.Sprint(i))
	}
	two.expect(0, "0", "1", "2")
}

func caseStopped(e *busEnv) {
	one, two := e.node(), e.start()
	refuses := func(when string) {
		if err := one.bus.Publish(e.Context(), 0, []byte("stale")); err == nil {
			e.Errorf("Publish() = nil %s", when)
		}
	}
	refuses("before Run")
	one.run()
	one.waitUps(1)
	one.publish(0, "in time")
	two.waitFrame(0, "in time")
	_ = one.end() // Cancel looks at what it returns
	refuses("after Run")
	e.flow(two)
	two.expect(0, "in time")
}

// faultCases are about an engine that is out of reach for a while.
func faultCases() []busCase {
	return []busCase{
		{"Kick", says(
			"It comes back by itself after the engine or the connection was lost",
			"It comes again each time that the bus has come back.",
			"It comes once for each Up",
		), caseKick},
		{"KickUnderLoad", says("It comes back by itself after the engine or the connection was lost"), caseKickUnderLoad},
		{"Restart", says("It comes back by itself after the engine or the connection was lost"), caseRestart},
		{"Outage", says(
			"or the engine cannot be reached, it returns an error instead of keeping the frame for later.",
			"waiting longer from try to try and not at the same moment as other nodes",
		), caseOutage},
		{"Unreachable", says(
			"before the first Up when the engine cannot be reached",
			"it returns another one only for what trying again cannot mend",
			"writes it to no log or error",
		), caseUnreachable},
		{"Stall", says(
			"it never blocks for longer",
			"Down says that frames may be lost from now on, or have been lost since the last call, until the next Up.",
		), caseStall},
	}
}

func caseKick(e *busEnv) {
	e.need(e.Kick != nil, "Kick")
	one, two := e.start(), e.start()
	for i := range 3 {
		ups := []int{one.count("up"), two.count("up")}
		e.Kick(e.T)
		one.waitUps(ups[0] + 1)
		two.waitUps(ups[1] + 1)
		if one.count("down") < i+1 || two.count("down") < i+1 {
			e.Error("Up came again without Down")
		}
		e.flow(one, two)
	}
}

func caseKickUnderLoad(e *busEnv) {
	e.need(e.Kick != nil, "Kick")
	one, two := e.start(), e.start()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			ctx, cancel := context.WithTimeout(e.Context(), time.Second)
			_ = one.bus.Publish(ctx, 0, fmt.Appendf(nil, "%09d", i)) // it may fail
			cancel()
			if i%50 == 49 {
				<-time.After(time.Millisecond)
			}
		}
	}()
	for range 4 {
		ups := []int{one.count("up"), two.count("up")}
		e.Kick(e.T)
		one.waitUps(ups[0] + 1)
		two.waitUps(ups[1] + 1)
		frames := len(two.frames(0))
		two.wait("more frames", func(calls []busCall) bool { return countBusCalls(calls, "frame") > frames })
	}
	close(stop)
	<-stopped
	e.flow(one, two)
}

func caseRestart(e *busEnv) {
	e.need(e.Restart != nil, "Restart")
	one, two := e.start(), e.start()
	ups := []int{one.count("up"), two.count("up")}
	e.Restart(e.T)
	one.waitUps(ups[0] + 1)
	two.waitUps(ups[1] + 1)
	e.flow(one, two)
}

func caseOutage(e *busEnv) {
	e.need(e.Cut != nil, "Cut")
	one, two := e.start(), e.start()
	one.publish(1, "before")
	one.waitFrame(1, "before")
	two.waitFrame(1, "before")
	ups := []int{one.count("up"), two.count("up")}
	e.Cut(e.T)
	one.waitDowns(1)
	two.waitDowns(1)
	one.fails(0, "on the way")
	for range 3 {
		ctx, cancel := context.WithTimeout(e.Context(), busPatience)
		if err := one.bus.Publish(ctx, 1, []byte("stale")); err == nil {
			e.Error("Publish() = nil although the engine cannot be reached")
		}
		cancel()
	}
	e.Heal(e.T)
	one.waitUps(ups[0] + 1)
	two.waitUps(ups[1] + 1)
	e.flow(one, two)
	one.publish(1, "after")
	for _, n := range []*busNode{one, two} {
		n.expect(1, "before", "after")
	}
}

func caseUnreachable(e *busEnv) {
	e.need(e.Cut != nil, "Cut")
	e.Cut(e.T)
	late, given := e.node(), e.node()
	late.run()
	given.run()
	late.waitDowns(1)
	given.waitDowns(1)
	if n := late.count("up"); n > 0 {
		e.Errorf("%d calls of Up although the engine cannot be reached", n)
	}
	if err := given.end(); !errors.Is(err, context.Canceled) {
		e.Errorf("Run() = %v, want %v", err, context.Canceled)
	}
	e.Heal(e.T)
	late.waitUps(1)
	if calls := late.all(); !slices.Equal(calls[:2], []busCall{{kind: "down"}, {kind: "up"}}) {
		e.Errorf("Down and Up, once each, did not come first: %v", calls[:2])
	}
	e.flow(late)
}

func caseStall(e *busEnv) {
	e.need(e.Stall != nil, "Stall")
	one, two := e.start(), e.start()
	e.flow(one, two)
	ups := []int{one.count("up"), two.count("up")}
	e.Stall(e.T)
	results := make(chan error, 1)
	ctx, cancel := context.WithTimeout(e.Context(), 200*time.Millisecond)
	defer cancel()
	go func() { results <- one.bus.Publish(ctx, 0, []byte("stalled")) }()
	select {
	case <-results: // it may be on its way
	case <-time.After(busPatience):
		e.Fatal("Publish() does not return although its context has ended")
	}
	patience := e.Notice + busPatience
	for _, n := range []*busNode{one, two} {
		n.waitFor(patience, "Down", func(calls []busCall) bool { return countBusCalls(calls, "down") > 0 })
	}
	one.fails(0, "stalled")
	e.Heal(e.T)
	one.waitUps(ups[0] + 1)
	two.waitUps(ups[1] + 1)
	e.flow(one, two)
}
