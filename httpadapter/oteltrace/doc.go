// Package oteltrace adds OpenTelemetry spans to the library's seams: each call of the store, and each call of the
// transport. It is a module of its own, so that only who wants it gets OpenTelemetry.
//
//	messages, err := chat.NewService(oteltrace.Chat(store, nil), broadcaster, nil)
//	consultations, err := consultation.NewService(oteltrace.Consultations(store, nil), broadcaster, nil)
//	relay, err := realtime.NewRelay(store, oteltrace.Broadcaster(transport, nil), nil)
//
// Requests are spanned by the host's own HTTP middleware, as whose children the spans of the store appear. An event that
// goes through a relay is sent after the request has been answered, by whichever process claims it, so its span has no
// parent; murph.message.id and murph.rev tell which send it belongs to.
//
// Spans carry ids, counters and sizes as attributes, never content, names or signatures. A refusal by the rules, such as
// a consultation that is not active, is the attribute murph.refusal and no error.
package oteltrace
