package pusherproto

// Code is a number of the protocol's own range, 4000 to 4399 (Pusher Channels Protocol, "Error Codes"). As the code
// of a WebSocket close frame it tells the client whether, and when, to come back; pusher-js reads the same number in
// a pusher:error that arrives before pusher:connection_established.
//
// pusher-js has no jitter of its own: whoever closes many connections with one code has to spread the closing.
type Code int

// Codes that end a connection. What stands behind each is the reaction of pusher-js 8.
const (
	CodeTLSOnly             Code = 4000 // switches to wss for good and reconnects at once
	CodeUnknownApp          Code = 4001 // disconnected, never retries
	CodeAppDisabled         Code = 4003 // disconnected, never retries
	CodeOverQuota           Code = 4004 // disconnected, never retries: over capacity is CodeOverCapacity
	CodePathNotFound        Code = 4005 // disconnected, never retries
	CodeBadVersion          Code = 4006 // disconnected, never retries
	CodeUnsupportedProtocol Code = 4007 // disconnected, never retries
	CodeNoProtocol          Code = 4008 // disconnected, never retries
	CodeUnauthorized        Code = 4009 // disconnected, never retries
	CodeOverCapacity        Code = 4100 // retries after exactly 1 s
	CodeReconnect           Code = 4200 // retries at once
	CodeNoPong              Code = 4201 // retries at once
	CodeIdle                Code = 4202 // retries at once
)

// Codes that stand in a pusher:error frame only. As the code of a close frame pusher-js takes anything from 4300 on
// for a refusal and never comes back.
const (
	CodeNone                Code = 0    // written as null: the fault has no number
	CodeClientEventRejected Code = 4301 // a client event that may not be sent, or too many of them
	CodeWatchlistTooLong    Code = 4302 // more than 100 people on a watchlist
)

// Codes of RFC 6455 §7.4.1 that the server closes with. pusher-js retries after 1 s on each.
const (
	CodeProtocolError   Code = 1002 // the WebSocket framing is broken
	CodeUnsupportedData Code = 1003 // a binary message
	CodeInvalidPayload  Code = 1007 // a text message that is not UTF-8
	CodeMessageTooBig   Code = 1009
)
