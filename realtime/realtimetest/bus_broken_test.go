package realtimetest_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

// engine is a hub whose faults befall all nodes, each of them behind wrap.
func engine(wrap func(*inmem.Bus) realtime.Bus) realtimetest.BusEngine {
	var hub inmem.BusHub
	var mu sync.Mutex
	var nodes []*inmem.Bus
	state := (*inmem.Bus).Heal
	each := func(fault func(*inmem.Bus)) func(testing.TB) {
		return func(testing.TB) {
			mu.Lock()
			defer mu.Unlock()
			state = fault
			for _, n := range nodes {
				fault(n)
			}
		}
	}
	kick := func(b *inmem.Bus) { b.Partition(); b.Heal() }
	return realtimetest.BusEngine{
		Node: func(testing.TB) realtime.Bus {
			mu.Lock()
			defer mu.Unlock()
			n := hub.Node()
			state(n)
			nodes = append(nodes, n)
			return wrap(n)
		},
		Kick: each(kick), Restart: each(kick),
		Cut: each((*inmem.Bus).Partition), Stall: each((*inmem.Bus).Hang), Heal: each((*inmem.Bus).Heal),
		Inject: func(_ testing.TB, name string, payload []byte) { hub.Inject(name, 9, payload) },
	}
}

func TestGoodBus(t *testing.T) {
	t.Parallel()
	realtimetest.RunBus(t, realtimetest.BusHarness{Open: func(testing.TB) realtimetest.BusEngine {
		return engine(func(b *inmem.Bus) realtime.Bus { return b })
	}})
}

// Without a function of the harness there is less to test, and nothing to fail.
func TestPlainBus(t *testing.T) {
	t.Parallel()
	realtimetest.RunBus(t, realtimetest.BusHarness{Open: func(testing.TB) realtimetest.BusEngine {
		var hub inmem.BusHub
		return realtimetest.BusEngine{Node: func(testing.TB) realtime.Bus { return hub.Node() }}
	}})
}

// brokenEnv names the broken bus that TestBrokenBus tests, in a process of its own: there the suite has to fail.
const brokenEnv = "MURPH_REALTIMETEST_BROKEN_BUS"

func TestBrokenBus(t *testing.T) {
	t.Parallel()
	name := os.Getenv(brokenEnv)
	if name == "" {
		t.Skip("it fails, and is for TestSuiteFindsBrokenBuses to start")
	}
	realtimetest.SetBusPatience(time.Second)
	for _, b := range brokenBuses() {
		if b.name == name {
			realtimetest.RunBus(t, realtimetest.BusHarness{Open: func(testing.TB) realtimetest.BusEngine { return engine(b.wrap) }})
		}
	}
}

func TestSuiteFindsBrokenBuses(t *testing.T) {
	t.Parallel()
	cases := map[string]realtimetest.BusCase{}
	for _, c := range realtimetest.BusCases() {
		cases[c.Name] = c
	}
	for _, b := range brokenBuses() {
		require.NotEmpty(t, b.cases, b.name)
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			run := "-test.run=^TestBrokenBus$/^(" + strings.Join(b.cases, "|") + ")$"
			child := exec.CommandContext(t.Context(), os.Args[0], run, "-test.timeout=2m")
			child.Env = append(os.Environ(), brokenEnv+"="+b.name)
			out, err := child.CombinedOutput()
			require.Error(t, err, "the suite passes")
			require.NotContains(t, string(out), "panic:")
			for _, name := range b.cases {
				require.Contains(t, cases, name)
				require.Contains(t, string(out), "--- FAIL: TestBrokenBus/"+name+" ", "the case does not fail")
				for _, clause := range cases[name].Clauses {
					require.Contains(t, string(out), fmt.Sprintf("the contract of realtime.Bus says: %q", clause))
				}
			}
		})
	}
}

// TestEveryBusCaseCanFail keeps a case from being written that no fault has ever set off.
func TestEveryBusCaseCanFail(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, b := range brokenBuses() {
		for _, name := range b.cases {
			found[name] = true
		}
	}
	for _, c := range realtimetest.BusCases() {
		if !found[c.Name] {
			t.Errorf("no broken bus sets off the case %s", c.Name)
		}
	}
}
