// Package realtimetest holds the conformance suites of [realtime.Broadcaster], which every transport passes, and of
// [realtime.Bus], which every bus passes ([RunBus]), a small client of the Pusher Channels protocol for tests, and a
// [Proxy] that breaks connections. It imports the standard library only, so that holding one's
// own transport to the suite costs no dependency.
//
//	func TestConformance(t *testing.T) {
//		realtimetest.Run(t, realtimetest.Harness{
//			New:       func(t *testing.T) realtime.Broadcaster { return new(inmem.Broadcaster) },
//			Subscribe: subscribe,
//		})
//	}
//
// # Guarantees
//
// Every case of [RunBus] quotes the sentences of the contract that it enforces, and a failure prints them. The cases are
// independent of each other and run in parallel, and their limits of time leave room for slow machines.
//
// # Non-goals
//
// Speed, and what a transport does to many clients: that is for benchmarks.
package realtimetest
