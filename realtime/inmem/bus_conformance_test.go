package inmem_test

import (
	"sync"
	"testing"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

func TestBusConformance(t *testing.T) {
	t.Parallel()
	realtimetest.RunBus(t, realtimetest.BusHarness{Open: openBus})
}

// openBus is a hub whose faults befall all nodes.
func openBus(testing.TB) realtimetest.BusEngine {
	var hub inmem.BusHub
	var mu sync.Mutex
	var nodes []*inmem.Bus
	var state func(*inmem.Bus)
	each := func(faults ...func(*inmem.Bus)) func(testing.TB) {
		return func(testing.TB) {
			mu.Lock()
			defer mu.Unlock()
			for _, fault := range faults {
				for _, n := range nodes {
					fault(n)
				}
				state = fault
			}
		}
	}
	return realtimetest.BusEngine{
		Node: func(testing.TB) realtime.Bus {
			mu.Lock()
			defer mu.Unlock()
			n := hub.Node()
			if state != nil {
				state(n)
			}
			nodes = append(nodes, n)
			return n
		},
		Kick:    each((*inmem.Bus).Partition, (*inmem.Bus).Heal),
		Restart: each((*inmem.Bus).Partition, (*inmem.Bus).Heal),
		Cut:     each((*inmem.Bus).Partition),
		Stall:   each((*inmem.Bus).Hang),
		Heal:    each((*inmem.Bus).Heal),
		Inject:  func(_ testing.TB, name string, payload []byte) { hub.Inject(name, 9, payload) },
	}
}
