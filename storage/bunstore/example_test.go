package bunstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"log"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/storage/bunstore"
)

// A host that uses bun passes the database that it has. The driver is the host's choice too.
func ExampleNew() {
	ctx := context.Background()
	conns, err := sql.Open("pgx", "postgres://app@db:5432/app") // with import _ "github.com/jackc/pgx/v5/stdlib"
	if err != nil {
		log.Fatal(err)
	}
	defer conns.Close()
	store, err := bunstore.New(bun.NewDB(conns, pgdialect.New()), nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Migrate(ctx); err != nil { // or the files of Migrations, with a tool of the host's
		log.Fatal(err)
	}
	if err := store.Check(ctx); err != nil { // says what would lose messages, and how to mend it
		log.Print(err)
	}
}

// A host without bun passes its *sql.DB.
func ExampleNewPostgres() {
	conns, err := sql.Open("pgx", "postgres://app@db:5432/app")
	if err != nil {
		log.Fatal(err)
	}
	defer conns.Close()
	store, err := bunstore.NewPostgres(conns, &bunstore.Options{
		OnQuery: func(_ context.Context, q bunstore.Query) { fmt.Println(q.Name, q.Duration) },
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Migrate(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// What the host stores and what the patient is told are stored together, or neither.
func ExampleStore_With() {
	ctx := context.Background()
	conns, err := sql.Open("pgx", "postgres://app@db:5432/app")
	if err != nil {
		log.Fatal(err)
	}
	defer conns.Close()
	store, err := bunstore.NewPostgres(conns, nil)
	if err != nil {
		log.Fatal(err)
	}
	relay, err := realtime.NewRelay(store, &inmem.Broadcaster{}, nil) // go relay.Run(ctx)
	if err != nil {
		log.Fatal(err)
	}
	messages, err := chat.NewService(store, relay, nil)
	if err != nil {
		log.Fatal(err)
	}

	tx, err := conns.BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Rollback() // does nothing after a commit
	if _, err := tx.ExecContext(ctx, `INSERT INTO appointments VALUES ($1, $2)`, "demo", "3. Dezember"); err != nil {
		log.Fatal(err)
	}
	_, err = messages.SendTx(ctx, store.With(tx), chat.SendParams{
		ConsultationID: "demo", SenderID: "stefan", Content: "Ihr Termin: 3. Dezember",
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}
	relay.Wake()
}

// The files of the schema, for a migration tool of the host's.
func ExampleMigrations() {
	names, err := fs.Glob(bunstore.Migrations(), "postgres/0001_*.sql")
	fmt.Println(names, err)
	// Output: [postgres/0001_init.down.sql postgres/0001_init.up.sql] <nil>
}
