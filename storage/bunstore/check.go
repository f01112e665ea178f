package bunstore

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// maxSkew is how far the process's clock and the database's may be apart.
const maxSkew = time.Second

// Check looks for what makes the store lose messages, or slow: a schema that is missing, old or newer than this package,
// missing or invalid indexes, commits that do not survive a crash, clocks that differ by more than a second. It returns
// nil if all is well, and otherwise the findings joined, each saying what is wrong and how to mend it. It changes nothing.
// Call it when the process starts.
func (s *Store) Check(ctx context.Context) error {
	all, err := migrations(s.engine)
	if err != nil {
		return err
	}
	version, err := s.engine.version(ctx, s, s.write)
	if err != nil {
		return s.wrap(ctx, "check", err)
	}
	var findings []error
	switch want := newest(all); {
	case version == 0:
		return errors.New("bunstore: the schema is missing: call Migrate, or run the files of Migrations")
	case version < want:
		findings = append(findings, fmt.Errorf("bunstore: the schema has version %d, this program needs %d: call Migrate", version, want))
	case version > want:
		findings = append(findings, fmt.Errorf("bunstore: the schema has version %d, this program knows %d: deploy the newer program", version, want))
	}
	more, err := s.engine.check(ctx, s)
	if err != nil {
		return s.wrap(ctx, "check", err)
	}
	return errors.Join(append(findings, more...)...)
}

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
