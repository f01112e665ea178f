package bunstore

import "context"

// sqliteSchemaExists asks for the table.
const sqliteSchemaExists = `SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'murph_schema')`

// migrate needs no lock beforehand: of two that have both found the schema to be old, the second to write is told that it
// is busy, and starts again.
func (e sqlite) migrate(ctx context.Context, s *Store, all []migration) error {
	return e.transact(ctx, s, func(q conn) (bool, error) { return s.apply(ctx, q, all) })
}

func (sqlite) version(ctx context.Context, s *Store, q conn) (int, error) {
	return readVersion(ctx, s, q, sqliteSchemaExists)
}
