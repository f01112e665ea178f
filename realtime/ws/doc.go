// Package ws is a WebSocket server inside the host's own process that speaks Pusher Channels protocol 7, so that the
// official clients (pusher-js and its siblings) connect to it by changing a host name.
//
//	srv, err := ws.New(ws.Config{AppID: "1", Key: "app-key", Secret: secret})
//	mux.Handle("GET /app/{key}", srv)       // the endpoint
//	srv.Broadcast(ctx, event)               // realtime.Broadcaster
//	srv.SignChannel(socketID, channel, nil) // realtime.Signer, for the host's authorisation endpoint
//	mux.Handle("/apps/", srv.API())         // for the server SDKs of other programs, if there are any
//	defer srv.Shutdown(ctx)                 // http.Server.Shutdown knows nothing of upgraded connections
//
// # What works
//
// Public, private, private-encrypted, presence and cache channels, client events, sign-in with events for one user and
// watchlists, subscription counts, ping and pong both ways, sender exclusion; the HTTP API ([Server.API]) and signed
// webhooks ([Webhook]). examples/pusherserver is all this as a program, held to the official clients.
//
// What costs privacy or traffic is off until [Config] switches it on: ClientEvents, SubscriptionCount. Every limit of
// [Config] has a default that holds up against hostile clients; behind a proxy, set TrustedProxies, or the limits by
// address do not hold.
//
// # Who may listen
//
// The host decides when it signs. A signature of [Server.SignChannel] with a member ties the subscription to a user; it
// is good for one connection and for ten minutes. [Server.Revoke] ends the subscriptions of users who may no longer
// listen, at once, and makes their signatures from before worthless; consultation.Service calls it by itself.
// [Server.TerminateUser] does the same for all channels and sign-ins of one user, and closes the connections. The function
// of [Config.Authorize] or [Server.AuthorizeWith] is asked every minute, and finds the changes that were not reported.
//
// Revocations are remembered as long as a connection can last ([Config.MaxSessionAge]), up to 100,000. When there are
// more, the oldest are dropped, and no signature from before the newest dropped one is accepted any more: the client needs
// a new one.
//
// # Guarantees
//
// Broadcast never waits for a client: each connection has a bounded queue, and one that cannot keep up is closed with
// 4100, upon which clients come back after a second and fetch what they missed. A connection receives either every
// event of its channels, in order, or is closed: nothing is skipped silently. A subscription is acknowledged once it
// counts, so whoever reads the store after the acknowledgement misses nothing.
//
// A client is always refused by a close code on an accepted connection, never by an HTTP status: pusher-js cannot read
// the status and would retry for ever.
package ws
