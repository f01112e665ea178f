package realtimetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// busPatience is how long the suite waits for what has to come. A test that passes waits as long as the bus takes. The
// tests of the suite itself have less.
var busPatience = 60 * time.Second

// busPause lies between two tries of something that may fail for a while.
const busPause = 20 * time.Millisecond

// busEnv is what a case works with.
type busEnv struct {
	*testing.T
	BusEngine
	name   string // of the nodes, unless a case says otherwise
	probes int
}

// busName makes a name of 32 characters, the most there are.
func busName() string {
	return strings.ToLower(rand.Text() + rand.Text())[:32]
}

// need skips the case unless the harness has what it needs.
func (e *busEnv) need(there bool, what string) {
	e.Helper()
	if !there {
		e.Skipf("realtimetest: the engine has no %s", what)
	}
}

// probeShard carries the frames of flow alone.
const probeShard = 15

// flow waits until what each of the nodes publishes arrives at all of them.
func (e *busEnv) flow(nodes ...*busNode) {
	e.Helper()
	timeout := time.After(busPatience)
	for _, from := range nodes {
		for arrived := false; !arrived; {
			e.probes++
			probe := fmt.Sprintf("probe %d", e.probes)
			ctx, cancel := context.WithTimeout(e.Context(), time.Second)
			err := from.bus.Publish(ctx, probeShard, []byte(probe))
			arrived = err == nil && reached(ctx, nodes, busCall{"frame", probeShard, probe})
			cancel()
			select {
			case <-timeout:
				e.Fatalf("frames do not flow again after %v: the last Publish() = %v", busPatience, err)
			case <-time.After(busPause):
			}
		}
	}
}

// reached waits until all nodes have had the call, or ctx ends.
func reached(ctx context.Context, nodes []*busNode, c busCall) bool {
	for _, n := range nodes {
		for {
			n.mu.Lock()
			there, changed := slices.Contains(n.calls, c), n.changed
			n.mu.Unlock()
			if there {
				break
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return false
			}
		}
	}
	return true
}

func list(frames []string) string {
	if len(frames) > 12 {
		return list(frames[:12]) + " …"
	}
	text := ""
	for _, f := range frames {
		text += " " + short(f)
	}
	return "[" + text + " ]"
}

// short is a frame for people to read.
func short(frame string) string {
	if len(frame) > 24 {
		frame = frame[:24] + "…"
	}
	return "\"" + frame + "\""
}
