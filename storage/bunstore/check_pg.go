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
var pgSettings = `
SELECT current_setting('server_version_num')::int, current_setting('synchronous_commit'), current_setting('fsync'),
	current_setting('full_page_writes'), current_setting('server_encoding'), current_setting('client_encoding'),
	current_setting('standard_conforming_strings'), pg_is_in_recovery(), ` + micros("clock_timestamp()")

// pgCopies lists the schemas with another table of consultations that a
// connection of this role may take for ours: those of the search path, and those
// of the default search path.
const pgCopies = `
SELECT n.nspname::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = 'murph_consultations' AND c.relkind IN ('r', 'p') AND c.oid <> to_regclass('murph_consultations')
	AND (n.nspname = ANY (current_schemas(false)) OR n.nspname IN ('public', session_user))
ORDER BY 1`

// pgSettingsFound is the row of pgSettings.
type pgSettingsFound struct {
	version                            int
	synchronous, fsync, fullPageWrites string
	serverEncoding, clientEncoding     string
	conformingStrings                  string
	recovery                           bool
	clock                              stamp
}

func (f *pgSettingsFound) dest() []any {
	return []any{
		&f.version, &f.synchronous, &f.fsync, &f.fullPageWrites, &f.serverEncoding, &f.clientEncoding,
		&f.conformingStrings, &f.recovery, &f.clock,
	}
}

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
	err = s.rows(ctx, s.write, statement{"check copies", pgCopies}, nil, func(rows *sql.Rows) error {
		var schema string
		err := rows.Scan(&schema)
		findings = append(findings, fmt.Errorf("bunstore: the table murph_consultations is also in the schema %s: "+
			"drop one of the two, and give all processes the same search_path", schema))
		return err
	})
	if err != nil {
		return nil, err
	}
	if s.stats.unprepared.Load() {
		findings = append(findings, errors.New("bunstore: prepared statements were lost: "+pooling))
	}

	var f pgSettingsFound
	before := time.Now()
	if _, err = s.row(ctx, s.write, statement{"check settings", pgSettings}, nil, f.dest()...); err != nil {
		return nil, err
	}
	return append(findings, f.findings(before, time.Now())...), nil
}

// findings judges the settings, which were read between the two times.
func (f *pgSettingsFound) findings(before, after time.Time) (findings []error) {
	report := func(format string, args ...any) {
		findings = append(findings, fmt.Errorf("bunstore: "+format, args...))
	}
	if f.version < pgMinVersion {
		report("the server has version %d.%d: use PostgreSQL 12 or newer", f.version/10000, f.version%10000)
	}
	if f.recovery {
		findings = append(findings, unusable{
			errors.New("bunstore: the server is a replica: connect to the primary, which can write and is never behind")})
	}
	switch f.synchronous {
	case "on", "local", "remote_write", "remote_apply":
	default:
		report("synchronous_commit is %s, so a crash loses messages that were acknowledged: set it to on", f.synchronous)
	}
	if f.fsync != "on" {
		report("fsync is %s, so a crash can destroy the database: set it to on in postgresql.conf", f.fsync)
	}
	if f.fullPageWrites != "on" {
		report("full_page_writes is %s, so a crash can destroy the database: set it to on in postgresql.conf", f.fullPageWrites)
	}
	if f.serverEncoding != "UTF8" {
		report("the database's encoding is %s, which lacks characters that people write: create it with ENCODING 'UTF8'", f.serverEncoding)
	}
	if f.clientEncoding != "UTF8" {
		report("client_encoding is %s, so text is stored as other characters: set it to UTF8", f.clientEncoding)
	}
	if f.conformingStrings != "on" {
		findings = append(findings, unusable{errors.New("bunstore: standard_conforming_strings is off, " +
			"so a driver that writes values into the statement writes a message's backslashes as escapes: set it to on")})
	}
	if ahead := f.clock.Sub(after); ahead > maxSkew {
		report("the database's clock is %v ahead of this process's: synchronise both with NTP", ahead.Round(time.Millisecond))
	}
	if behind := before.Sub(f.clock.Time); behind > maxSkew {
		report("the database's clock is %v behind this process's: synchronise both with NTP", behind.Round(time.Millisecond))
	}
	return findings
}
