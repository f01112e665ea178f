// Package natsbus is a [realtime.Bus] over a NATS that the host already runs, with core NATS alone: no JetStream.
//
//	conn, err := nats.Connect("nats://nats:4222",
//		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1),
//		nats.PingInterval(5*time.Second), nats.MaxPingsOutstanding(2), nats.FlusherTimeout(5*time.Second))
//	bus, err := natsbus.New(conn, &natsbus.Options{Prefix: "clinic"})
//
// The connection stays the host's: the bus adds one subscription while Run goes on, and never closes or drains the
// connection. The options above are for the host to set, because a connection cannot be changed: MaxReconnects(-1),
// since a connection that has given up is closed for ever, and Run then returns an error; ReconnectBufSize(-1), since
// otherwise the connection keeps what is published while it reconnects; the pings, since only they end a connection
// whose other side has vanished; FlusherTimeout, since the client holds its lock while it cannot write. NoEcho must not
// be set. The subject is "<prefix>.<name>", and the name is derived from the secret of the app. Users with permissions
// need to publish and subscribe "<prefix>.*".
//
// # What it guarantees
//
//   - What [realtime.Bus] says. realtimetest.RunBus is run on a real nats-server: with connections that are killed, cut
//     or silent, and with restarts.
//   - Publish fails while the connection is not up, whatever ReconnectBufSize is. Nothing is kept for later but what was
//     published in the instant in which the connection broke.
//   - A connection that is lost, and frames that the client has dropped because the handler is too slow, are told with
//     Down within a tenth of a second; a connection that is silent within three times Options.Probe, which is 6 s unless
//     it is set. Up says that the server has answered on the connection that the subscription is on.
//
// # What it does not
//
// NATS keeps no frame for a node that is away. nil from Publish says that the frame is with the client, which sends it
// at once. While a connection is silent the bus tells Down and waits for it to come back; that it is replaced by a new
// one is up to the host's pings.
package natsbus
