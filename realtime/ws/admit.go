package ws

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// The protocol versions that differ in nothing that this server does.
const (
	minProtocol = 5
	maxProtocol = 7
)

// maxVersionLength is generous for the version of a client library.
const maxVersionLength = 64

// admit checks the request (Pusher Channels Protocol, "Connection").
func (s *Server) admit(r *http.Request) refusal {
	if why := s.checkOrigin(r); why != (refusal{}) {
		return why
	}
	key, ok := appKey(r)
	if !ok {
		return refusal{code: pusherproto.CodePathNotFound, reason: "Path not found"}
	}
	if subtle.ConstantTimeCompare([]byte(key), []byte(s.cfg.Key)) != 1 {
		return refusal{code: pusherproto.CodeUnknownApp, reason: "Unknown application key"}
	}
	return checkVersions(r.URL.Query())
}

func checkVersions(q url.Values) refusal {
	protocol := q.Get("protocol")
	if protocol == "" {
		return refusal{code: pusherproto.CodeNoProtocol, reason: "No protocol version supplied"}
	}
	if n, err := strconv.Atoi(protocol); err != nil || n < minProtocol || n > maxProtocol {
		return refusal{code: pusherproto.CodeUnsupportedProtocol, reason: "Unsupported protocol version"}
	}
	version := q.Get("version")
	bad := strings.IndexFunc(version, func(r rune) bool { return !isURLWord(string(r)) && r != '.' && r != '+' })
	if bad >= 0 || len(version) > maxVersionLength {
		return refusal{code: pusherproto.CodeBadVersion, reason: "Invalid version string"}
	}
	return refusal{}
}

// headerHas reports whether a token stands in a header with a comma-separated
// list.
func headerHas(h http.Header, name, token string) bool {
	for _, value := range h.Values(name) {
		for item := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(item), token) {
				return true
			}
		}
	}
	return false
}

// appKey takes the key from the pattern's {key}, or from the last "/app/" of the path.
func appKey(r *http.Request) (string, bool) {
	if key := r.PathValue("key"); key != "" {
		return key, true
	}
	i := strings.LastIndex(r.URL.Path, "/app/")
	if i < 0 {
		return "", false
	}
	key := strings.TrimSuffix(r.URL.Path[i+len("/app/"):], "/")
	return key, !strings.Contains(key, "/")
}
