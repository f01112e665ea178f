package bunstore

import (
	"errors"
	"strings"
)

// sqliteTrouble maps primary result codes (sqlite.org, "Result Codes") to the
// kind of trouble. The text is for drivers that do not give the code.
var sqliteTrouble = []struct {
	code         int
	text, reason string
}{
	{sqliteBusy, "database is locked", reasonBusy},
	{6, "database table is locked", reasonBusy},
	{7, "out of memory", "out of resources"},
	{8, "attempt to write a readonly database", reasonReadOnly},
	{10, "disk I/O error", reasonStorage},
	{13, "database or disk is full", reasonDiskFull},
	{14, "unable to open database file", reasonStorage},
	{15, "locking protocol", reasonBusy},
}

func (sqlite) unavailable(err error) string {
	if errors.Is(err, errPoolBusy) {
		return reasonBusy
	}
	code, coded := sqliteCode(err)
	for _, t := range sqliteTrouble {
		if coded && code == t.code || !coded && strings.Contains(err.Error(), t.text) {
			return t.reason
		}
	}
	return ""
}

// sqliteBusy is the primary result code of a lock that another connection
// holds.
const sqliteBusy = 5

func isSQLiteBusy(err error) bool {
	if code, ok := sqliteCode(err); ok {
		return code == sqliteBusy
	}
	return strings.Contains(err.Error(), "database is locked")
}

// sqliteCode returns the primary result code of an error of modernc.org/sqlite,
// which it knows by its method. ok is false for other drivers.
func sqliteCode(err error) (code int, ok bool) {
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		return coded.Code() & 0xff, true
	}
	return 0, false
}
