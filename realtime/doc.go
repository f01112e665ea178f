// Package realtime is the leaf that the other packages stand on: what an event is, where it goes, and who carries
// it. It imports the standard library only and knows nothing of chats, databases or HTTP.
//
// An [Event] has a [Channel], a name and a JSON payload. A [Broadcaster] carries it to everyone who is subscribed to
// the channel; a [Signer] decides, cryptographically, who may subscribe. Implementations are in the folders below:
// inmem for tests, ws for a server inside the host's own process, pusher for hosted Pusher Channels. All of them speak
// Pusher Channels protocol 7 or its HTTP API, so that the same browser client works with each.
//
//	err := broadcaster.Broadcast(ctx, realtime.Event{Channel: "private-clinic", Name: "news", Data: []byte(`{"id": 1}`)})
//
// A [Relay] is a Broadcaster that loses no event: it empties the [Outbox] of a store into another one.
//
//	relay, err := realtime.NewRelay(store, broadcaster, nil)
//	go relay.Run(ctx)
//	messages, err := chat.NewService(store, relay, nil)
//
// A [Bus] joins the servers of several processes.
//
// # Guarantees
//
// A broadcast is a hint, never the record: it is delivered at most once by a plain Broadcaster and may be lost with
// the connection. What must not be lost is stored first; whoever missed the hint reads the store. See package chat.
//
// # Non-goals
//
// No history, no replay and no acknowledgement by the receiver.
package realtime
