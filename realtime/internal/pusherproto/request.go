package pusherproto

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MaxClockSkew is how far the timestamp of a request may be from the server's clock, either way.
const MaxClockSkew = 600 * time.Second

// ErrBadRequestSignature is matched by the errors of [Credentials.VerifyRequest].
var ErrBadRequestSignature = errors.New("pusherproto: request is not authenticated")

// Request is the signed part of a call of the HTTP API (Pusher HTTP API, "Authentication").
type Request struct {
	Method string     // upper case
	Path   string     // as sent, with any prefix that the API is mounted under
	Query  url.Values // decoded
	Body   []byte
}

// SignRequest returns r's query with the five authentication parameters added. r is not changed. now is written in
// whole seconds.
func (c Credentials) SignRequest(r Request, now time.Time) url.Values {
	q := maps.Clone(r.Query)
	if q == nil {
		q = url.Values{}
	}
	delete(q, "auth_signature")
	q.Set("auth_key", c.Key)
	q.Set("auth_timestamp", strconv.FormatInt(now.Unix(), 10))
	q.Set("auth_version", "1.0")
	if len(r.Body) > 0 {
		q.Set("body_md5", bodyMD5(r.Body))
	}
	q.Set("auth_signature", c.sign(stringToSign(r.Method, r.Path, q)))
	return q
}

// VerifyRequest checks the signature, which covers all query parameters, the digest of the body and the age of r. The
// error matches [ErrBadRequestSignature] and contains nothing of the request. A replay within the window is the
// caller's to detect.
func (c Credentials) VerifyRequest(r Request, now time.Time) error {
	fail := func(reason string) error { return fmt.Errorf("%w: %s", ErrBadRequestSignature, reason) }
	lower := make(map[string]struct{}, len(r.Query))
	for k, vs := range r.Query {
		l := strings.ToLower(k)
		if _, twice := lower[l]; twice || len(vs) != 1 {
			return fail("a query parameter occurs more than once")
		}
		lower[l] = struct{}{}
	}
	ts, err := strconv.ParseInt(r.Query.Get("auth_timestamp"), 10, 64)
	switch {
	case err != nil:
		return fail("auth_timestamp is missing or not a number")
	case r.Query.Get("auth_version") != "1.0":
		return fail("auth_version is not 1.0")
	case !equal(r.Query.Get("auth_key"), c.Key):
		return fail("unknown auth_key")
	case len(r.Body) > 0 && !equal(r.Query.Get("body_md5"), bodyMD5(r.Body)):
		return fail("body_md5 is missing or does not match the body")
	case !equal(r.Query.Get("auth_signature"), c.sign(stringToSign(r.Method, r.Path, r.Query))):
		return fail("auth_signature does not match")
	}
	// Compared as seconds, because a Duration cannot hold the distance to every int64 timestamp.
	skew := int64(MaxClockSkew / time.Second)
	if sec := now.Unix(); ts < sec-skew || ts > sec+skew {
		return fail("auth_timestamp is too far from the server's clock")
	}
	return nil
}

// stringToSign joins method, path and parameters, sorted by their names in lower case. Values stand in it as they
// are, not escaped.
func stringToSign(method, path string, q url.Values) string {
	values := make(map[string]string, len(q))
	for k := range q {
		values[strings.ToLower(k)] = q.Get(k)
	}
	delete(values, "auth_signature")
	params := make([]string, 0, len(values))
	for _, k := range slices.Sorted(maps.Keys(values)) {
		params = append(params, k+"="+values[k])
	}
	return method + "\n" + path + "\n" + strings.Join(params, "&")
}

// bodyMD5 is the digest that the HTTP API asks for. What protects the body is the signature over it.
func bodyMD5(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}
