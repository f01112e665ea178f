package bunstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// sqliteIndexes are what the statements' plans rely on.
var sqliteIndexes = []string{
	"murph_consultations_patient", "murph_consultations_student", "murph_consultations_open",
	"murph_messages_seq", "murph_messages_unread", "murph_messages_rev", "murph_messages_key",
	"murph_outbox_due", "murph_outbox_channel",
}

const sqliteIndexesFound = `SELECT name FROM sqlite_master WHERE type = 'index'`

// sqliteFull is the value of PRAGMA synchronous from which on a commit survives the loss of power (sqlite.org, "PRAGMA
// synchronous").
const sqliteFull = 2

// check looks at one connection of the pool that writes: the settings belong to each connection.
func (sqlite) check(ctx context.Context, s *Store) ([]error, error) {
	found := map[string]bool{}
	err := s.rows(ctx, s.write, statement{"check indexes", sqliteIndexesFound}, nil, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		found[name] = true
		return err
	})
	if err != nil {
		return nil, err
	}
	findings := missing(found, sqliteIndexes)

	var journal, file string
	var synchronous, foreignKeys, seq int
	for _, p := range []struct {
		pragma string
		dest   []any
	}{
		{`PRAGMA journal_mode`, []any{&journal}},
		{`PRAGMA synchronous`, []any{&synchronous}},
		{`PRAGMA foreign_keys`, []any{&foreignKeys}},
		{`SELECT seq, file FROM pragma_database_list WHERE name = 'main'`, []any{&seq, &file}},
	} {
		if _, err := s.row(ctx, s.write, statement{"check settings", p.pragma}, nil, p.dest...); err != nil {
			return nil, err
		}
	}
	report := func(format string, args ...any) {
		findings = append(findings, fmt.Errorf("bunstore: "+format, args...))
	}
	if foreignKeys == 0 {
		report("foreign_keys is off, so what belongs to a deleted consultation stays: open each connection with PRAGMA foreign_keys = ON")
	}
	if file == "" {
		return findings, nil // in memory: nothing survives anyway, and there is no journal to choose
	}
	if !strings.EqualFold(journal, "wal") {
		report("journal_mode is %s, so readers and the writer wait for each other: run PRAGMA journal_mode = WAL once", journal)
	}
	if synchronous < sqliteFull {
		report("synchronous is %d, so a loss of power loses messages that were acknowledged: open each connection with PRAGMA synchronous = FULL", synchronous)
	}
	return findings, nil
}
