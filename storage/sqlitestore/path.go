package sqlitestore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"sync"
)

// address matches what names a database for other libraries: a URL, the name
// of a file in the driver's own syntax, or a list of keywords.
var address = regexp.MustCompile(`(?i)^([a-z][a-z0-9+.-]+://|(file|sqlite|sqlite3|libsql):)|(^|\s)(host|user|dbname|password)=`)

// checkPath refuses an address in the place of a path. The error does not show
// it, because it may hold a password.
func checkPath(path string) error {
	switch {
	case path == "":
		return errors.New("sqlitestore: a store needs the path of its file")
	case path == InMemory:
		return nil
	case address.MatchString(path), strings.HasPrefix(path, InMemory):
		return errors.New("sqlitestore: this is an address and not the path of a file: pass a path such as murph.db; " +
			"for Postgres use bunstore")
	}
	return nil
}

// creating is held while a file is created. Closing any handle of a file ends
// the locks that the process has on it, so no other store may open the file
// meanwhile.
var creating sync.Mutex

// create makes an empty file, which only its owner may read and write, unless
// there is one. SQLite gives the -wal and -shm files the same mode.
func create(path string) error {
	creating.Lock()
	defer creating.Unlock()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		return f.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return cause(err)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist): // a link to a file that is not there yet
		return createBehind(path)
	case err != nil:
		return cause(err)
	case info.IsDir():
		return errors.New("is a directory")
	}
	return nil
}

// createBehind creates the file that a link points to. No store has it open,
// because it is not there.
func createBehind(link string) error {
	f, err := os.OpenFile(link, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return cause(err)
	}
	return f.Close()
}

// cause is the error of the operating system without the path, which the
// caller adds.
func cause(err error) error {
	var named *fs.PathError
	if errors.As(err, &named) {
		return named.Err
	}
	return err
}

func openError(path string, err error) error {
	return fmt.Errorf("sqlitestore: open %s: %w", path, err)
}
