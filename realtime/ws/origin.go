package ws

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// origin is a scheme and a host, in lower case. The host has a port unless it is
// the scheme's own.
type origin struct{ scheme, host string }

// parseOrigin reads an Origin header or a pattern of Config.AllowedOrigins.
func parseOrigin(s string) (origin, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" ||
		u.User != nil {
		return origin{}, errors.New("ws: not an origin")
	}
	scheme := strings.ToLower(u.Scheme)
	return origin{scheme, canonicalHost(scheme, u.Host)}, nil
}

// canonicalHost removes the scheme's own port.
func canonicalHost(scheme, host string) string {
	port := map[string]string{"http": ":80", "https": ":443"}[scheme]
	return strings.TrimSuffix(strings.ToLower(host), port)
}

// isWeb reports whether pages of the origin come from a web server.
func (o origin) isWeb() bool { return o.scheme == "http" || o.scheme == "https" }

// allowsOrigin decides about the Origin header of a request to host.
func (c Config) allowsOrigin(header, host string) bool {
	if header == "" {
		return !c.RequireOrigin
	}
	from, err := parseOrigin(header) // "null", which sandboxed pages send, is none
	if err == nil && from.isWeb() && from.host == canonicalHost(from.scheme, host) {
		return true
	}
	for _, pattern := range c.AllowedOrigins {
		if pattern == "*" {
			return true
		}
		allowed, _ := parseOrigin(pattern)
		if err != nil || from.scheme != allowed.scheme {
			continue
		}
		domain, sub := strings.CutPrefix(allowed.host, "*")
		if from.host == allowed.host || sub && strings.HasPrefix(domain, ".") && strings.HasSuffix(from.host, domain) {
			return true
		}
	}
	return false
}

// checkOrigin refuses requests of pages that may not connect.
func (s *Server) checkOrigin(r *http.Request) refusal {
	header := r.Header.Get("Origin")
	if s.cfg.allowsOrigin(header, r.Host) {
		return refusal{}
	}
	setting := "AllowedOrigins"
	if header == "" {
		setting = "RequireOrigin"
	}
	return refusal{pusherproto.CodeUnauthorized, "Origin not allowed", setting}
}
