// Package redisbus is a [realtime.Bus] over the publish/subscribe of a Redis that the host already runs, alone, behind
// Sentinel or as a cluster:
//
//	client := redis.NewClient(&redis.Options{Addr: "redis:6379", Protocol: 2})
//	bus, err := redisbus.New(client, &redisbus.Options{Prefix: "clinic"})
//
// The client stays the host's: the bus takes connections of its pool to publish, opens one connection more to receive
// while Run goes on, and never closes the client. It keeps nothing in Redis: there are no keys, no scripts and nothing
// that expires. The channel is "<prefix>:<name>", and the name is derived from the secret of the app. Where access lists are
// in use, the user needs PUBLISH, SUBSCRIBE and PING and the channels "<prefix>:*".
//
// Set Protocol: 2. With RESP3, versions of the client before 9.21 drop a message when only a part of it has arrived. The
// layer above notices the loss and has clients fetch from the database.
//
// # What it guarantees
//
//   - What [realtime.Bus] says. realtimetest.RunBus is run on a real Redis: with connections that are killed, cut or
//     silent, and with restarts.
//   - Publish waits for the answer of Redis: nil says that Redis has taken the frame. Frames that are published at the
//     same time share a round trip.
//   - A connection that is lost is told with Down as soon as the operating system knows, and a connection that is
//     silent, because the other side has vanished, within four times Options.Probe, which is 8 s unless it is set. Up
//     says that Redis has confirmed the subscription on a new connection.
//
// # What it does not
//
// Redis keeps no frame for a node that is away, and ends the connection of one that is too slow
// (client-output-buffer-limit pubsub): the node is told so with Down. A failover can lose frames that Redis has
// answered without a call of Down; the layer above counts. The client may repeat a frame after an error (MaxRetries); the
// layer above drops it. A Publish whose context ends during the round trip may or may
// not have happened. With a negative ReadTimeout in the client's options a vanished Redis is noticed by Run, but not by
// Publish, which then fails by its context alone.
package redisbus
