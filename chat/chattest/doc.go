// Package chattest is for tests of programs that use the chat: [Log] is what a front end has to do with events and
// answers so that it ends with the stored log, each message once and in order, whatever the transport does to it. It is
// the specification of the reducer in the browser, and what the library's own tests hold the server to.
//
//	log := chattest.NewLog("demo")
//	log.Apply(event)          // from the broadcaster, in any order, any number of times
//	for log.Behind() {        // and after every new subscription
//		changes, err := svc.Changes(ctx, chat.ChangesParams{ConsultationID: "demo", Viewer: me, Since: log.Rev()})
//		log.Merge(changes)
//	}
//
// # Guarantees
//
// Whatever is dropped, doubled, delayed or reordered, a log that is not [Log.Behind] is what the store has, from its
// [Log.Floor] on. The traces in testdata say the same to the front end's tests.
//
// # Non-goals
//
// Connections and requests: those are the caller's. A Log is for one goroutine.
package chattest
