package bunstore

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// maxSkew is how far the process's clock and the database's may be apart.
const maxSkew = time.Second

// Check looks for what makes the store lose messages, or slow: a schema that is
// missing, old or newer than this package, missing or invalid indexes, commits
// that do not survive a crash, clocks that differ by more than a second, an
// encoding other than UTF-8, a second copy of the tables, prepared statements
// that a pooler has lost. It also writes, unless the store is bound to a
// transaction, so that it notices a full disk or a database that is read-only;
// nothing stays of that, and it needs one connection. Check returns nil if all is well, and otherwise the findings
// joined, each with the way to mend it.
//
// Call it when the process starts. It also serves as a health check: an error
// with a method Degraded() bool that returns true has only findings with which
// the store still works. While the database cannot be reached or written, the
// error matches [consultation.ErrUnavailable].
func (s *Store) Check(ctx context.Context) error {
	known, err := migrations(s.engine)
	if err != nil {
		return err
	}
	version, err := s.engine.version(ctx, s, s.write)
	if err != nil {
		return s.wrap(ctx, "check", err)
	}
	var findings []error
	switch want := newest(known); {
	case version == 0:
		return errors.New("bunstore: the schema is missing: call Migrate, or run the files of Migrations")
	case version < want:
		findings = append(findings, unusable{
			fmt.Errorf("bunstore: the schema has version %d, this program needs %d: call Migrate", version, want)})
	case version > want:
		findings = append(findings, fmt.Errorf("bunstore: the schema has version %d, this program knows %d: deploy the newer program", version, want))
	}
	more, err := s.engine.check(ctx, s)
	if err != nil {
		return s.wrap(ctx, "check", err)
	}
	findings = append(findings, more...)
	var fatal unusable
	if errors.As(errors.Join(findings...), &fatal) {
		return errors.Join(findings...)
	}
	if !s.bound {
		var flaw flaws
		switch err := s.engine.probe(ctx, s); {
		case errors.As(err, &flaw):
			findings = append(findings, flaw.error)
		case err != nil:
			return errors.Join(append(findings, s.wrap(ctx, "check: write", err))...)
		}
	}
	if len(findings) == 0 {
		return nil
	}
	return flaws{errors.Join(findings...)}
}

// unusable is a finding with which nothing can be stored.
type unusable struct{ error }

func (u unusable) Unwrap() error { return u.error }

// flaws are findings with which the store works.
type flaws struct{ error }

func (f flaws) Unwrap() error { return f.error }

// Degraded tells a health check that not everything is lost.
func (flaws) Degraded() bool { return true }

// missing reports the indexes that are not in found.
func missing(found map[string]bool, want []string) (findings []error) {
	for _, name := range want {
		valid, ok := found[name]
		switch {
		case !ok:
			findings = append(findings, fmt.Errorf("bunstore: the index %s is missing: create it as in the files of Migrations", name))
		case !valid:
			findings = append(findings, fmt.Errorf("bunstore: the index %s is invalid: run REINDEX INDEX %s", name, name))
		}
	}
	return findings
}
