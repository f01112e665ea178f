// Package inmem is a broadcaster in memory, for tests and examples. It is synchronous and deterministic: Broadcast has
// delivered when it returns, there is no goroutine and no clock, and two runs do the same.
//
//	var b inmem.Broadcaster
//	sub := b.Subscribe("private-consultation-1", "7.1")
//	// ... code that broadcasts on &b ...
//	for _, ev := range sub.Events() {
//		fmt.Println(ev.Name)
//	}
//
// It refuses what every transport refuses ([realtime.Event.Validate]), so that a test in memory does not pass what
// production rejects, and it can be told to fail, hang, drop, duplicate, delay and reorder: see [Broadcaster.Inject].
//
// For tests of several nodes in one process there is a bus: a [BusHub] is the engine, [BusHub.Node] gives each node its
// [realtime.Bus], and [Bus.Partition], [Bus.Hang], [Bus.Drop] and [Bus.Pause] break it.
//
// # Guarantees
//
// The suites of realtimetest pass on both. Every subscriber of a channel has every event in the order of the calls of
// Broadcast, but the one that [realtime.Event].Except names.
//
// # Non-goals
//
// Production: it keeps every event, authorises nobody, and reaches nobody outside of the process.
package inmem
