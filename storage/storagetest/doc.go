// Package storagetest holds a store to the contracts of [consultation.Storage], [chat.Storage] and [realtime.Outbox].
//
//	func TestStore(t *testing.T) {
//		storagetest.Run(t, storagetest.Harness{
//			New: func(tb testing.TB) storagetest.Store { return mystore.New() },
//		})
//	}
//
// Every case quotes the sentences of the contract that it enforces, and a failure prints them, so that the report reads
// as the list of promises that the store breaks.
//
// # Guarantees
//
// The cases never sleep. They are independent of each other and run in parallel, each on a store of its own. Apart from
// the packages that declare the contracts, the standard library is all they import.
//
// # Non-goals
//
// What the store survives (a crash, a lost connection, a full disk) is for the store's own tests: it cannot be provoked
// through the interfaces.
package storagetest
