// Package chat is the messages of a consultation: sending, reading, catching up, editing, deleting, read marks.
//
//	svc, err := chat.NewService(store, broadcaster, nil)
//	sent, err := svc.Send(ctx, chat.SendParams{ConsultationID: id, SenderID: "patient-1", Content: "Guten Tag"})
//	page, err := svc.History(ctx, chat.HistoryParams{ConsultationID: id, Viewer: "student-1"})
//
// # Guarantees
//
// The database is the log and a broadcast is only a hint. A message for which Send has returned is stored, once, however
// often it is retried with the same client message id. Every change raises the consultation's counter by one, in the
// order of the commits, so that a reader always sees a prefix of the log: a client that remembers the last rev it has
// seen gets everything since with one call of Changes, after any absence.
//
// What happens to the broadcast never makes a send fail. With a [realtime.OutboxBroadcaster], as [realtime.Relay] is
// one, the event is delivered at least once, also after a crash and however long the transport was down, and a send
// never waits for it. With a plain broadcaster it is tried once, and a send waits for at most
// [realtime.PublisherOptions].Timeout; a lost event is found by the next catch-up.
//
// # Hooks and limits
//
// [Options] has a question before a text is stored (BeforeSend), which may refuse it, a call after a message is stored
// (AfterSend), for notifications, and a limit on how often one user writes (WriteRate). None of the host's code can make
// a send hang, or undo one. [Service.Stats] counts, and [Service.Wait] ends a program in order.
//
// # Non-goals
//
// Group chats, attachments and search. Who a user is, and which consultations there are, is decided elsewhere.
package chat
