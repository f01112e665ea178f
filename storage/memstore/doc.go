// Package memstore keeps consultations, messages and the outbox in memory, for tests and for trying things out.
//
//	store := memstore.New()
//	consultations, err := consultation.NewService(store, broadcaster, nil)
//	messages, err := chat.NewService(store, broadcaster, nil)
//
// # Guarantees
//
// It is a real store: storagetest passes on it, so that a test on memstore tests what the databases do. What it returns
// shares no memory with what it keeps. Its clock is time.Now in UTC and microseconds, so that in a testing/synctest
// bubble leases, delays and edit windows follow the bubble's time.
//
// [Store.InTx] runs a transaction as SQLite does: there is one writer at a time, and readers see the last committed state
// meanwhile.
//
// # Non-goals
//
// Nothing outlives the process. Lists are found by scanning, which is fast for thousands of consultations, not for
// millions.
package memstore
