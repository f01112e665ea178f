// Package cluster makes the processes that share a [realtime.Bus] one server: it counts what each node publishes, so
// that a loss on any engine is noticed, keeps a copy of who is on which node, and passes commands on until they are
// confirmed. The bus below it may lose frames; what hangs on them is made good here or by the clients, who fetch from
// the database what they have missed.
//
// Nothing here knows of connections. [Local] is what a node does with what it hears.
package cluster
