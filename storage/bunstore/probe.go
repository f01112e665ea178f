package bunstore

import (
	"context"
	"fmt"
)

// pgProbe writes without growing anything. The first two statements put a small
// temporary file on the disk, which fails if the disk is full. The third marks a
// row as locked and so writes to the write-ahead log, which the commit waits
// for; it fails in a read-only transaction. Another check that holds the lock at
// this moment proves the same.
var pgProbe = []statement{
	{"probe memory", `SET LOCAL work_mem = '64kB'`},
	{"probe disk", `SELECT count(*) FROM generate_series(1, 20000)`},
	{"probe write", `SELECT version FROM murph_schema ORDER BY version LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED`},
}

// codeInsufficientPrivilege is the SQLSTATE of a missing grant.
const codeInsufficientPrivilege = "42501"

func (e postgres) probe(ctx context.Context, s *Store) error {
	err := e.transact(ctx, s, func(q conn) (bool, error) {
		for _, st := range pgProbe {
			if err := s.exec(ctx, q, st); err != nil {
				return false, err
			}
		}
		return true, nil
	})
	if sqlState(err) == codeInsufficientPrivilege {
		return flaws{fmt.Errorf("bunstore: cannot check whether writes succeed: GRANT UPDATE ON murph_schema to this role: %w", err)}
	}
	return err
}

// sqliteProbe writes a page to the file, and before that takes room for a large
// message and gives it back.
var sqliteProbe = []statement{
	{"probe write", `UPDATE murph_schema SET version = version`},
	{"probe room", `SAVEPOINT murph_probe`},
	{"probe room", `
INSERT INTO murph_outbox (event, consultation_id, rev, socket_id, due_at, created_at, reason) VALUES ('', '', 0, '', 0, 0, zeroblob(65536))`},
	{"probe room", `ROLLBACK TO murph_probe`},
	{"probe room", `RELEASE murph_probe`},
}

func (e sqlite) probe(ctx context.Context, s *Store) error {
	return s.transact(ctx, func(q conn) (bool, error) {
		for _, st := range sqliteProbe {
			if err := s.exec(ctx, q, st); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}
