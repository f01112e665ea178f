package bunstore

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed migrations/postgres/*.sql migrations/sqlite/*.sql
var embedded embed.FS

// Migrations returns the files that make the schema, for hosts with a migration tool of their own: postgres and sqlite
// are folders of NNNN_name.up.sql and NNNN_name.down.sql. Each up file writes its number into murph_schema itself, so
// [Store.Migrate] and [Store.Check] know of it. A statement in them ends where a line ends with a semicolon.
func Migrations() fs.FS {
	sub, err := fs.Sub(embedded, "migrations")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return sub
}

// migration is one step of the schema.
type migration struct {
	version    int
	name       string
	statements []string
}

// Migrate brings the schema to the version of this package, in one transaction. It is safe when several processes start
// at once: one does it and the others wait. A schema that is newer, because another process runs a newer version of this
// package, stays as it is. In a transaction of the host's it takes part in that.
//
// On Postgres it also replaces the epoch (see [Store.NewEpoch]) when it finds the tables in another place than at its last
// call: copied by pg_restore, restored to an earlier point in time, or on a replica that was promoted.
func (s *Store) Migrate(ctx context.Context) error {
	all, err := migrations(s.engine)
	if err != nil {
		return err
	}
	version, err := s.engine.version(ctx, s, s.write)
	if err == nil && version < newest(all) {
		err = s.retry(ctx, func(ctx context.Context) error { return s.engine.migrate(ctx, s, all) })
	}
	if err == nil && version <= newest(all) && !s.bound {
		err = s.engine.moved(ctx, s)
	}
	return s.wrap(ctx, "migrate", err)
}

// migrations reads the steps up for the engine's database, in their order.
func migrations(e engine) ([]migration, error) {
	folder := "sqlite"
	if _, ok := e.(postgres); ok {
		folder = "postgres"
	}
	names, err := fs.Glob(Migrations(), folder+"/*.up.sql")
	if err != nil {
		return nil, fmt.Errorf("bunstore: list migrations: %w", err)
	}
	slices.Sort(names)
	all := make([]migration, 0, len(names))
	for _, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		version, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("bunstore: migration %s has no number: %w", name, err)
		}
		body, err := fs.ReadFile(Migrations(), name)
		if err != nil {
			return nil, fmt.Errorf("bunstore: read migration: %w", err)
		}
		all = append(all, migration{version: version, name: path.Base(name), statements: split(string(body))})
	}
	return all, nil
}

// newest is the version of the last migration.
func newest(all []migration) int {
	return all[len(all)-1].version
}

// split takes a file apart into its statements. Comments are lines of their own and are left out, because some drivers
// look for parameters in them.
func split(body string) []string {
	var statements []string
	var b strings.Builder
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, " \t\r\n")
		if line == "" || strings.HasPrefix(line, "--") {
			continue
		}
		text, last := strings.CutSuffix(line, ";")
		b.WriteString(text)
		b.WriteByte('\n')
		if last {
			statements = append(statements, b.String())
			b.Reset()
		}
	}
	return statements
}

// apply runs the steps that are still to be done, in a transaction that keeps other processes out.
func (s *Store) apply(ctx context.Context, q conn, all []migration) (changed bool, err error) {
	version, err := s.engine.version(ctx, s, q)
	if err != nil {
		return false, err
	}
	for _, m := range all {
		if m.version <= version {
			continue
		}
		for _, text := range m.statements {
			if err := s.exec(ctx, q, statement{"migrate", text}); err != nil {
				return false, failed(fmt.Errorf("%s: %w", m.name, err))
			}
		}
		changed = true
	}
	return changed, nil
}
