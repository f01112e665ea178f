// Package sqlitestore opens a SQLite file as a store, with the driver, the settings and the schema done right. It is the
// store for programs that have no database of their own.
//
//	store, err := sqlitestore.Open(ctx, "murph.db", nil)
//	defer store.Close()
//	svc, err := chat.NewService(store, relay, nil)
//
// It is a module of its own, because its driver sets the versions of a dozen others. The driver is modernc.org/sqlite,
// which needs no C compiler.
//
// # Guarantees
//
// What was acknowledged survives a crash of the process and the loss of power (write-ahead log, synchronous=FULL).
// There is one connection that writes, so writers queue in the process instead
// of failing with SQLITE_BUSY. Reads have connections of their own and do not
// wait for writers. Other processes may use the file too.
// [Options.BusyTimeout] bounds how long a call waits for writers of either kind.
//
// # Non-goals
//
// No file on a network share: SQLite's locks do not hold there.
package sqlitestore
