package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// pgMinVersion is the oldest server that knows all that the statements use, as server_version_num.
const pgMinVersion = 120000

// pgIndexes are what the statements' plans rely on.
var pgIndexes = []string{
	"murph_consultations_pkey", "murph_consultations_by_patient", "murph_consultations_by_student", "murph_consultations_open",
	"murph_participants_pkey", "murph_messages_pkey", "murph_messages_seq", "murph_messages_rev", "murph_messages_key",
	"murph_outbox_pkey", "murph_outbox_due", "murph_outbox_channel",
}

// pgIndexesFound lists the indexes of the tables that are found along the search path.
const pgIndexesFound = `
SELECT c.relname::text, i.indisvalid
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid IN (to_regclass('murph_consultations'), to_regclass('murph_participants'), to_regclass('murph_messages'),
	to_regclass('murph_outbox'))`

// pgSettings gives the clock last, so that its age is the way back only.
const pgSettings = `
SELECT current_setting('server_version_num')::int, current_setting('synchronous_commit'), current_setting('fsync'),
	current_setting('full_page_writes'), pg_is_in_recovery(), clock_timestamp()`

func (postgres) check(ctx context.Context, s *Store) ([]error, error) {
	found := map[string]bool{}
	err := s.rows(ctx, s.write, statement{"check indexes", pgIndexesFound}, nil, func(rows *sql.Rows) error {
		var name string
		var valid bool
		err := rows.Scan(&name, &valid)
		found[name] = valid
		return err
	})
	if err != nil {
		return nil, err
	}
	findings := missing(found, pgIndexes)

	var (
		version                            int
		synchronous, fsync, fullPageWrites string
		recovery                           bool
		clock                              stamp
	)
	before := time.Now()
	_, err = s.row(ctx, s.write, statement{"check settings", pgSettings}, nil,
		&version, &synchronous, &fsync, &fullPageWrites, &recovery, &clock)
	if err != nil {
		return nil, err
	}
	after := time.Now()

	report := func(format string, args ...any) {
		findings = append(findings, fmt.Errorf("bunstore: "+format, args...))
	}
	if version < pgMinVersion {
		report("the server has version %d.%d: use PostgreSQL 12 or newer", version/10000, version%10000)
	}
	if recovery {
		findings = append(findings, unusable{
			errors.New("bunstore: the server is a replica: connect to the primary, which can write and is never behind")})
	}
	switch synchronous {
	case "on", "local", "remote_write", "remote_apply":
	default:
		report("synchronous_commit is %s, so a crash loses messages that were acknowledged: set it to on", synchronous)
	}
	if fsync != "on" {
		report("fsync is %s, so a crash can destroy the database: set it to on in postgresql.conf", fsync)
	}
	if fullPageWrites != "on" {
		report("full_page_writes is %s, so a crash can destroy the database: set it to on in postgresql.conf", fullPageWrites)
	}
	if ahead := clock.Sub(after); ahead > maxSkew {
		report("the database's clock is %v ahead of this process's: synchronise both with NTP", ahead.Round(time.Millisecond))
	}
	if behind := before.Sub(clock.Time); behind > maxSkew {
		report("the database's clock is %v behind this process's: synchronise both with NTP", behind.Round(time.Millisecond))
	}
	return findings, nil
}
