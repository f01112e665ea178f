package demo

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver for postgres:// addresses

	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/sqlitestore"
)

// openStore opens the database that db names: a postgres:// address or the path of an SQLite file. The schema is
// brought up to date. The second result closes it.
func openStore(ctx context.Context, db string) (*bunstore.Store, func() error, error) {
	if !strings.HasPrefix(db, "postgres://") && !strings.HasPrefix(db, "postgresql://") {
		store, err := sqlitestore.Open(ctx, db, nil)
		if err != nil {
			return nil, nil, err
		}
		return store.Store, store.Close, nil
	}
	conns, err := sql.Open("pgx", db)
	if err != nil {
		return nil, nil, fmt.Errorf("open postgres: %w", err)
	}
	store, err := bunstore.NewPostgres(conns, nil)
	if err == nil {
		err = store.Migrate(ctx)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("open postgres: %w", closeAfter(err, conns))
	}
	return store, conns.Close, nil
}
