// Package bunstore keeps consultations, messages and the outbox in the host's own database: PostgreSQL 12 or newer, or
// SQLite 3.35 or newer, through a [bun.DB] that the host has opened.
//
//	store, err := bunstore.New(db, nil)
//	err = store.Migrate(ctx)
//	svc, err := chat.NewService(store, relay, nil)
//
// One [*Store] is a [chat.Storage], a [consultation.Storage] and a [realtime.Outbox]. Bound to a transaction of the
// host's by [Store.With] it takes part in that one:
//
//	err = db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
//		_, err := svc.SendTx(ctx, store.With(tx), params)
//		return err
//	})
//
// # How it writes
//
// Every write takes the lock on the consultation's row first and raises that row's counter in the same atomic step, so
// the order of the counter is the order of the commits. On Postgres a send is one statement in one round trip. It goes
// to the connection beneath bun, with bind parameters: bun writes arguments into the text, which makes pgx prepare each
// send anew. [Options.OnQuery] sees what bun's query hooks therefore do not.
//
// On SQLite a write is a short transaction that holds the write lock from its first statement. Times come from the
// process's clock there, from the database's clock on Postgres.
//
// # Guarantees
//
// What is returned without an error was committed, with whatever durability the database is configured for;
// [Store.Check] reports a configuration that loses commits. A statement that failed because of another transaction is
// repeated; one whose outcome is unknown, because the connection broke, never is.
//
// With pgx everything ends with its context. The driver pgdriver looks at
// deadlines only: give such contexts one. A statement of SQLite waits for the
// lock of another connection as long as the connection's busy_timeout says, even
// if its context ends meanwhile.
//
// A failure of the database that is not the caller's fault matches
// [consultation.ErrUnavailable]: a lost connection, a server that stops, too
// many connections, a full disk, a database that is read-only, or a lock that
// was not free in time ([Options.BusyTimeout] for SQLite).
//
// # Non-goals
//
// No other databases. The tables belong to the library; hosts may read them, and delete from murph_consultations, which
// takes everything of a consultation with it.
package bunstore
