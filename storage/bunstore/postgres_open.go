package bunstore

import (
	"database/sql"
	"errors"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// NewPostgres is [New] for a host that has no bun: db is its own handle to a Postgres database, opened with whichever
// driver it uses. The host closes db. opts may be nil.
func NewPostgres(db *sql.DB, opts *Options) (*Store, error) {
	if db == nil {
		return nil, errors.New("bunstore: a store needs a database")
	}
	return New(bun.NewDB(db, pgdialect.New()), opts)
}
