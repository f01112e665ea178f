package bunstore

import "strings"

// micros returns an expression that gives a time as microseconds since 1970 in
// UTC. How Postgres writes a timestamptz as text depends on the settings
// datestyle and timezone, and some drivers read text; how it writes an integer
// depends on nothing.
func micros(time string) string { return `(extract(epoch FROM ` + time + `) * 1000000)::bigint` }

// pgColumns applies micros to the times in a list of columns, whose names end
// in _at.
func pgColumns(list string) string {
	columns := strings.Split(list, ", ")
	for i, c := range columns {
		if strings.HasSuffix(c, "_at") {
			columns[i] = micros(c)
		}
	}
	return strings.Join(columns, ", ")
}

// The column lists of scan.go for Postgres.
var (
	pgHeaderColumns  = pgColumns(headerColumns)
	pgTextColumns    = pgColumns(textColumns)
	pgClaimedColumns = pgColumns(claimedColumns)
)
