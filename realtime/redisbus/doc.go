// Package redisbus is a [realtime.Bus] over the publish/subscribe of a Redis that the host already runs, alone, behind
// Sentinel or as a cluster:
//
//	client := redis.NewClient(&redis.Options{Addr: "redis:6379"})
//	bus, err := redisbus.New(client, &redisbus.Options{Prefix: "clinic"})
//
// The client stays the host's: the bus takes connections of its pool to publish, opens one connection more to receive
// while Run goes on, and never closes the client. It keeps nothing in Redis: there are no keys, no scripts and nothing
// that expires. Every app that shares the Redis needs a Prefix of its own. Where access lists are in use, the user needs
// PUBLISH, SUBSCRIBE and PING and the channel "<prefix>:bus".
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
//   - What the client repeats by itself after an error (MaxRetries), and what arrives late from a connection that was
//     given up, is dropped.
//
// # What it does not
//
// Redis keeps no frame for a node that is away, and ends the connection of one that is too slow
// (client-output-buffer-limit pubsub): the node is told so with Down. A failover can lose frames that Redis has
// answered, and nobody is told; the layer above counts. A Publish whose context ends during the round trip may or may
// not have happened. With a negative ReadTimeout in the client's options a vanished Redis is noticed by Run, but not by
// Publish, which then fails by its context alone.
package redisbus
