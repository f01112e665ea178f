// Package realtimetest holds the conformance suite of [realtime.Broadcaster], which every transport passes, and a
// small client of the Pusher Channels protocol for tests. It imports the standard library only, so that holding one's
// own transport to the suite costs no dependency.
//
//	func TestConformance(t *testing.T) {
//		realtimetest.Run(t, realtimetest.Harness{
//			New:       func(t *testing.T) realtime.Broadcaster { return new(inmem.Broadcaster) },
//			Subscribe: subscribe,
//		})
//	}
package realtimetest
