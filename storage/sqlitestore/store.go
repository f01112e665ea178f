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
	writer, reader *bun.DB
}

// Open opens or creates the file at path, brings its schema to the current version and returns the store. It waits for
// other processes that do the same at this moment. The caller closes the store. With [InMemory] reads and writes share
// one connection. opts may be nil.
func Open(ctx context.Context, path string, opts *Options) (*Store, error) {
	if path == "" {
		return nil, errors.New("sqlitestore: a store needs the path of its file")
	}
	o := opts.withDefaults()
	s := &Store{}
	writer, err := dsn(path, o, url.Values{"_txlock": {"immediate"}, "_pragma": {
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"secure_delete(FAST)", // overwrites the text of a message that is deleted
	}})
	if err != nil {
		return nil, err
	}
	if s.writer, err = open(writer, 1); err != nil {
		return nil, err
	}
	bunOpts := &bunstore.Options{BusyTimeout: o.BusyTimeout, OnQuery: o.OnQuery, Logger: o.Logger}
	if path != InMemory {
		reader, err := dsn(path, o, url.Values{"_pragma": {"query_only(1)"}})
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		if s.reader, err = open(reader, o.Readers); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		bunOpts.Reader = s.reader
	}
	if s.Store, err = bunstore.New(s.writer, bunOpts); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := connect(ctx, s.writer, o.BusyTimeout); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlitestore: open: %w", err), s.Close())
	}
	if err := s.Migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
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
		return fmt.Errorf("sqlitestore: close: %w", err)
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
		return "", fmt.Errorf("sqlitestore: find the file: %w", err)
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
		return nil, fmt.Errorf("sqlitestore: open: %w", err)
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
