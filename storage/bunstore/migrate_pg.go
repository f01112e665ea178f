package bunstore

import (
	"context"
	"database/sql"
)

// pgReadCommitted makes each statement see what was committed before it, whatever the database's default is: the process
// that waited for the lock must see what the one before it has done.
const pgReadCommitted = `SET TRANSACTION ISOLATION LEVEL READ COMMITTED`

// pgMigrateLock keeps other processes out until the end of the transaction. The number is "murph" in ASCII.
const pgMigrateLock = `SELECT pg_advisory_xact_lock(x'6d75727068'::bigint)`

// pgSchemaExists asks for the table along the search path, as every other statement does. It reads the catalogue:
// to_regclass answers from a cache that may be as old as the transaction, that is, older than the wait for the lock.
const pgSchemaExists = `
SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = ANY (current_schemas(false)) AND tablename = 'murph_schema')`

// schemaVersion is the number of the newest migration that was run.
const schemaVersion = `SELECT max(version) FROM murph_schema`

func (e postgres) migrate(ctx context.Context, s *Store, all []migration) error {
	return e.transact(ctx, s, func(q conn) (bool, error) {
		if !s.bound {
			if err := s.exec(ctx, q, statement{"read committed", pgReadCommitted}); err != nil {
				return false, err
			}
		}
		if err := s.exec(ctx, q, statement{"migrate lock", pgMigrateLock}); err != nil {
			return false, err
		}
		return s.apply(ctx, q, all)
	})
}

func (postgres) version(ctx context.Context, s *Store, q conn) (int, error) {
	return readVersion(ctx, s, q, pgSchemaExists)
}

// readVersion returns the version of the schema, 0 if there is none. exists is a query that tells whether it can be asked.
func readVersion(ctx context.Context, s *Store, q conn, exists string) (int, error) {
	var found bool
	if _, err := s.row(ctx, q, statement{"schema exists", exists}, nil, &found); err != nil || !found {
		return 0, err
	}
	var version sql.NullInt64
	_, err := s.row(ctx, q, statement{"schema version", schemaVersion}, nil, &version)
	return int(version.Int64), err
}
