package httpadapter

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
)

// query is the parameters of a GET. An empty one counts as absent, and one that nobody knows is ignored.
type query url.Values

// parseQuery, unlike [url.URL.Query], refuses what it cannot read: half a question would get the wrong answer.
func parseQuery(r *http.Request) (query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, invalid("query", "must be well-formed")
	}
	return query(values), nil
}

// text returns a parameter that may be given once at most.
func (q query) text(name string) (string, error) {
	switch values := q[name]; len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", invalid(name, "must be given once")
}

// number returns a parameter that is a whole number of at least lowest, and whether it is given.
func (q query) number(name string, lowest int64) (n int64, given bool, err error) {
	s, err := q.text(name)
	if err != nil || s == "" {
		return 0, false, err
	}
	n, err = strconv.ParseInt(s, 10, 64)
	if err != nil || n < lowest {
		return 0, true, invalid(name, "must be a whole number of at least "+strconv.FormatInt(lowest, 10))
	}
	return n, true, nil
}

// limit returns the size of a page, 0 for the default.
func (q query) limit() (int, error) {
	n, _, err := q.number("limit", 1)
	return int(min(n, math.MaxInt32)), err // the service knows the real limit; an int may have 32 bits
}
