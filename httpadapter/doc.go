// Package httpadapter puts the chat on net/http: messages, consultations, channel authorisation and, when the host runs
// its own WebSocket server, the socket. It decides nothing about chats. It reads a request strictly, calls one method of
// one service, and writes the answer.
//
//	h, err := httpadapter.New(httpadapter.Config{
//		Chat: chatService, Consultations: consultationService,
//		Authenticator: httpadapter.AuthenticatorFunc(whoIs),
//		Signer: server, Socket: server, Transport: httpadapter.Transport{Key: "app-key"},
//	})
//	h.Register(mux) // or mount h itself, which routes on the full path, under any router
//
// # Guarantees
//
// Every request costs one call of the storage at most, but for those that a hook or a policy of the host is asked about,
// lists that a policy narrows, and requests with an Idempotency-Key. Every request ends ([Config].BodyTimeout,
// RequestTimeout), and the writes of one consultation or one user hold two connections of the database at most. Every refusal is application/problem+json
// (RFC 9457) with a stable [Code], and then nothing has been written. No answer and no log line repeats what the client
// has sent. Everything that belongs to a person is answered with Cache-Control: no-store.
//
// Channel authorisation signs only names that package consultation has built and that [Transport] hands out, and only
// for a participant at this moment. An unknown consultation and somebody else's get the same answer.
//
// Requests of foreign origins that could change something are refused ([http.CrossOriginProtection]).
//
// # Non-goals
//
// Sessions, CORS headers and panics are the business of the host's server and middleware, and so is every
// rate limit but those on writes ([chat.Options].WriteRate, [consultation.Options].WriteRate and RequestRate).
// Middleware that buffers or compresses answers must leave the socket's path alone.
package httpadapter
