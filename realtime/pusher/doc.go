// Package pusher is the transport over hosted Pusher Channels, on the vendor's own library.
//
//	cfg, err := pusher.ConfigFromEnv(nil)
//	transport, err := pusher.New(cfg)
//	relay, err := realtime.NewRelay(store, transport, nil)
//	go relay.Run(ctx)
//
// The [Broadcaster] adds to the library what a server needs: contexts, timeouts and connection reuse, TLS unless it is
// turned off, errors that can be acted on and that have no signature in them.
//
// # Guarantees
//
// What the service has accepted counts as sent. What becomes of it is not known: Pusher promises no delivery, keeps no
// history and no order across calls. The clients make up for that by catching up from the host.
//
// # Non-goals
//
// Retries: those are the relay's. This is the only package that imports the vendor's library.
package pusher
