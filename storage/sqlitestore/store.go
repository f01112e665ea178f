package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/bunstore"
)

// InMemory is the path of a database that lives in memory, belongs to the one [Store] and ends with it.
const InMemory = ":memory:"

// Store is a [bunstore.Store] with a file of its own. It is safe for concurrent use.
type Store struct {
	*bunstore.Store
	path           string
	writer, reader *bun.DB
}

// Open opens or creates the file at path, brings its schema to the current
// version and returns the store. It waits for other processes that do the same
// at this moment. A file that it creates can be read and written by its owner
// only (0600), like the files beside it. path is a path and no address: Open
// refuses URLs and the driver's "file:" names. The caller closes the store. With
// [InMemory] reads and writes share one connection. opts may be nil.
func Open(ctx context.Context, path string, opts *Options) (*Store, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	o := opts.withDefaults()
	s := &Store{path: path}
	if err := s.open(ctx, o); err != nil {
		return nil, errors.Join(openError(path, err), s.Close())
	}
	return s, nil
}

// open opens both pools and brings the schema to the current version.
func (s *Store) open(ctx context.Context, o Options) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.path != InMemory {
		if err := create(s.path); err != nil {
			return err
		}
	}
	writer, err := dsn(s.path, o, url.Values{"_txlock": {"immediate"}, "_pragma": {
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"secure_delete(1)", // overwrites the text of a message that is deleted
	}})
	if err != nil {
		return err
	}
	if s.writer, err = open(writer, 1); err != nil {
		return err
	}
	bunOpts := &bunstore.Options{BusyTimeout: o.BusyTimeout, OnQuery: o.OnQuery, Logger: o.Logger}
	if s.path != InMemory {
		reader, err := dsn(s.path, o, url.Values{"_pragma": {"query_only(1)"}})
		if err != nil {
			return err
		}
		if s.reader, err = open(reader, o.Readers); err != nil {
			return err
		}
		bunOpts.Reader = s.reader
	}
	if s.Store, err = bunstore.New(s.writer, bunOpts); err != nil {
		return err
	}
	if err := connect(ctx, s.writer, o.BusyTimeout); err != nil {
		return err
	}
	return s.Migrate(ctx)
}

// DB returns the database with the one connection that writes, for transactions of the host's that [bunstore.Store.With]
// is to take part in. While such a transaction runs, every other write waits for it. It is closed by Close.
func (s *Store) DB() *bun.DB { return s.writer }

// Close closes the file. Calls that are still running fail.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*bun.DB{s.reader, s.writer} { // the last one to be closed empties the write-ahead log
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("sqlitestore: close %s: %w", s.path, err)
	}
	return nil
}

// dsn writes the name under which the driver opens path with the settings in q.
func dsn(path string, o Options, q url.Values) (string, error) {
	q.Add("_pragma", "busy_timeout("+strconv.FormatInt(busyTimeout(o), 10)+")")
	q.Add("_pragma", "foreign_keys(1)")
	if path == InMemory {
		return "file::memory:?" + q.Encode(), nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: q.Encode()}).String(), nil
}

// busyTimeout is the pragma's value in milliseconds, which is a C int.
func busyTimeout(o Options) int64 {
	if o.BusyTimeout < 0 {
		return math.MaxInt32
	}
	return min(max(1, o.BusyTimeout.Milliseconds()), math.MaxInt32)
}

// open makes a pool of so many connections, which stay open: the first statement on a new one costs a read of the schema.
func open(dsn string, conns int) (*bun.DB, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return bun.NewDB(db, sqlitedialect.New()), nil
}

// sqliteBusy is the primary result code of a lock that somebody else holds (sqlite.org, "Result Codes", SQLITE_BUSY).
const sqliteBusy = 5

// connect makes the connection that turns a new file to the write-ahead log. SQLite does not wait for its busy timeout
// when two processes do that at once, so it is repeated here.
func connect(ctx context.Context, db *bun.DB, patience time.Duration) error {
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	var end <-chan time.Time
	if patience >= 0 {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		end = timer.C
	}
	for {
		err := db.PingContext(ctx)
		var coded *sqlite.Error
		if err == nil || !errors.As(err, &coded) || coded.Code()&0xff != sqliteBusy {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-end:
			return consultation.NewUnavailableError("busy", err)
		case <-retry.C:
		}
	}
}
