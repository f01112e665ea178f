package realtimetest

import (
	"testing"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// BusHarness gives [RunBus] the bus under test.
type BusHarness struct {
	// Open prepares an engine for one case. It is called once for every case.
	// Cases may share an engine, since each runs its nodes under names of its
	// own, unless they break it: Kick, Restart, Cut and Stall are for one case
	// alone. Close the engine in a cleanup of tb. Open must be safe for
	// concurrent use. Required.
	Open func(tb testing.TB) BusEngine
}

// BusEngine is what a case does with the engine. Only Node is required: a case that needs a function that is nil is
// skipped and says so. The functions fail tb themselves and are called from the goroutine of the test.
type BusEngine struct {
	// Node makes the bus of one more node on this engine. Required.
	Node func(tb testing.TB) realtime.Bus

	// Kick ends all connections of all nodes at once; new ones succeed. That may be a command of the engine's or
	// [Proxy.Kick].
	Kick func(tb testing.TB)
	// Restart ends the engine and starts it again. When it returns, the engine takes connections.
	Restart func(tb testing.TB)
	// Cut ends all connections of all nodes, and new ones fail at once, until Heal.
	Cut func(tb testing.TB)
	// Stall keeps all connections and passes nothing on in either direction, until Heal.
	Stall func(tb testing.TB)
	// Heal ends Cut and Stall. Required with one of them.
	Heal func(tb testing.TB)
	// Notice is how long the bus may take to call Down after Stall, as its documentation says. The suite grants more, for
	// slow machines.
	Notice time.Duration

	// Inject writes payload to the engine's channel for name, as another
	// program with access to the engine can.
	Inject func(tb testing.TB, name string, payload []byte)
}

// RunBus runs every case of the suite of [realtime.Bus] as a parallel subtest of t.
func RunBus(t *testing.T, h BusHarness) {
	t.Helper()
	if h.Open == nil {
		t.Fatal("realtimetest: BusHarness.Open is required")
	}
	for _, c := range busCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() {
				if t.Failed() {
					for _, s := range c.clauses {
						t.Logf("the contract of realtime.Bus says: %q", s)
					}
				}
			})
			c.run(&busEnv{T: t, BusEngine: h.Open(t), name: busName()})
		})
	}
}

// busCase enforces some sentences of the contract.
type busCase struct {
	name string
	// clauses quotes the contract, as it stands in the comments of realtime.Bus.
	clauses []string
	run     func(e *busEnv)
}

func says(sentences ...string) []string { return sentences }

func busCases() []busCase {
	var all []busCase
	for _, list := range [][]busCase{frameCases(), publishCases(), runCases(), faultCases()} {
		all = append(all, list...)
	}
	return all
}
