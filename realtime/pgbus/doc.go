// Package pgbus is a [realtime.Bus] over LISTEN and NOTIFY of the PostgreSQL that the host already runs, for hosts
// without another engine:
//
//	config, err := pgx.ParseConfig("postgres://app@db:5432/app")
//	bus, err := pgbus.New(config, &pgbus.Options{Prefix: "clinic"})
//
// While Run goes on, the bus has two connections of its own: one listens, one notifies. Neither takes part in
// transactions of the host's, and nothing is stored: there are no tables. Both go to the primary, and directly: a
// pooler in between that gives a connection to others after each transaction (PgBouncer with pool_mode = transaction)
// swallows LISTEN without an error. The bus finds that out: it does not call Up, and Down says why.
//
// # What it costs
//
// PostgreSQL lets one transaction at a time commit a NOTIFY, in all databases of the server. So a node does not notify
// for every frame: what is published within Options.Interval, which is 10 ms unless it is set, is packed into payloads
// of at most 7,900 characters, and one statement, with synchronous_commit off for itself alone, carries them. The first
// frame after a pause goes at once. The nodes make about 100 such commits a second together when all are busy, and each
// makes one in 2 s while nothing is published. A payload is base64, since it has to be text; that is why a frame is
// limited to [MaxFrame].
//
// # What it guarantees
//
//   - What [realtime.Bus] says. realtimetest.RunBus is run on a real PostgreSQL: with backends that are terminated,
//     connections that are cut or silent, and with restarts.
//   - Publish says nil when the frame is in the queue for the next statement. While the bus does not run, or has no
//     connection, it fails with [ErrNotConnected]. It waits for room in a queue of 1.5 MB, at most until its context
//     ends.
//   - Every Options.Probe each node notifies itself. A connection that is silent, a LISTEN that has gone dead without
//     an error, and a server that takes no NOTIFY are told with Down within four times Options.Probe, which is 8 s
//     unless it is set.
//   - What waits in the queue while the connection is lost is dropped and told with Down. Nothing is sent later.
//   - A handler that is too slow never keeps PostgreSQL waiting, whose queue of 8 GB would fill up and fail the commits
//     of everybody who notifies: what comes is read at once, and beyond Options.MaxPending it is dropped and told with
//     Down.
//
// # What it does not
//
// PostgreSQL keeps no frame for a node that is not listening. idle_session_timeout ends the connection that listens,
// again and again, if the server or the role has set it.
//
// Every role that can connect to the database can notify and listen, whatever its rights are. The layer above has sealed
// the frames, and the channel is "<prefix>_<name>" with a name that is derived from the secret of the app, so such a role
// reads and changes nothing. PostgreSQL shows the channel to the same role and to administrators, in pg_stat_activity.
package pgbus
