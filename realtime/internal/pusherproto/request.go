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

// ErrBadRequestSignature is matched by the errors of [Credentials.VerifyQuery]
// and [VerifyBody].
var ErrBadRequestSignature = errors.New("pusherproto: request is not authenticated")

func badRequestSignature(reason string) error {
	return fmt.Errorf("%w: %s", ErrBadRequestSignature, reason)
}

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
	params := make(map[string]string, len(q))
	for name := range q {
		params[strings.ToLower(name)] = q.Get(name)
	}
	q.Set("auth_signature", c.sign(stringToSign(r.Method, r.Path, params)))
	return q
}

// VerifyQuery checks the signature and the timestamp of a request before its
// body is read. The signature covers the method, one of paths, and all query
// parameters, among them the digest of the body; pass the body to [VerifyBody].
// It returns the parameters by their names in lower case. The error matches
// [ErrBadRequestSignature] and contains nothing of the request. Replays within
// [MaxClockSkew] are not detected.
func (c Credentials) VerifyQuery(method string, paths []string, q url.Values, now time.Time) (map[string]string, error) {
	params, err := canonicalParams(q)
	if err != nil {
		return nil, err
	}
	ts, err := strconv.ParseInt(params["auth_timestamp"], 10, 64)
	switch {
	case err != nil:
		return nil, badRequestSignature("auth_timestamp is missing or not a number")
	case params["auth_version"] != "1.0":
		return nil, badRequestSignature("auth_version is not 1.0")
	case !equal(params["auth_key"], c.Key):
		return nil, badRequestSignature("unknown auth_key")
	case !slices.ContainsFunc(paths, func(path string) bool {
		return equal(params["auth_signature"], c.sign(stringToSign(method, path, params)))
	}):
		return nil, badRequestSignature("auth_signature does not match")
	}
	// Compared as seconds, because a Duration cannot hold the distance to every int64 timestamp.
	skew := int64(MaxClockSkew / time.Second)
	if sec := now.Unix(); ts < sec-skew || ts > sec+skew {
		return nil, badRequestSignature("auth_timestamp is too far from the server's clock")
	}
	return params, nil
}

// VerifyBody compares the body with the digest among the parameters that
// [Credentials.VerifyQuery] has returned. Only an empty body needs no digest.
// The error matches [ErrBadRequestSignature].
func VerifyBody(params map[string]string, body []byte) error {
	digest, signed := params["body_md5"]
	if !signed && len(body) == 0 || signed && equal(digest, bodyMD5(body)) {
		return nil
	}
	return badRequestSignature("body_md5 is missing or does not match the body")
}

// canonicalParams returns the parameters by their names in lower case. It
// refuses parameters that could be regrouped into others with the same string
// to sign: values are not escaped there, so "a=1&b=2" can be two parameters or
// one.
func canonicalParams(q url.Values) (map[string]string, error) {
	params := make(map[string]string, len(q))
	for name, values := range q {
		lower := strings.ToLower(name)
		if _, twice := params[lower]; twice || len(values) != 1 {
			return nil, badRequestSignature("a query parameter occurs more than once")
		}
		if strings.ContainsAny(name, "=&\n") || strings.ContainsAny(values[0], "&\n") {
			return nil, badRequestSignature("a query parameter contains a character that separates parameters")
		}
		params[lower] = values[0]
	}
	return params, nil
}

// stringToSign joins the method, the path and the parameters, sorted by name.
// Values are not escaped in it.
func stringToSign(method, path string, params map[string]string) string {
	pairs := make([]string, 0, len(params))
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name != "auth_signature" {
			pairs = append(pairs, name+"="+params[name])
		}
	}
	return method + "\n" + path + "\n" + strings.Join(pairs, "&")
}

// bodyMD5 is the digest that the HTTP API asks for. What protects the body is the signature over it.
func bodyMD5(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}
