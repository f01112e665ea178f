// Package pusherproto is what the transports share of the Pusher Channels protocol, version 7: frames, names, codes
// and signatures. It computes only: it does no I/O, starts no goroutine, reads no clock and logs nothing, and all of
// it is safe for concurrent use.
//
// Sources are the "Pusher Channels Protocol" and "HTTP API" pages of the vendor's documentation, and, for what a
// client really does, pusher-js 8.
package pusherproto
