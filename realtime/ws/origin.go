package ws

import (
	"errors"
	"net/url"
	"strings"
)

// origin is a scheme and a host with its port, lower case.
type origin struct{ scheme, host string }

func parseOrigin(s string) (origin, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
		return origin{}, errors.New("ws: not an origin")
	}
	return origin{strings.ToLower(u.Scheme), strings.ToLower(u.Host)}, nil
}

// allowsOrigin decides about the Origin header of a request to host.
func (c Config) allowsOrigin(header, host string) bool {
	if header == "" {
		return !c.RequireOrigin
	}
	from, err := parseOrigin(header) // "null", which sandboxed pages send, is none
	if err == nil && strings.EqualFold(from.host, host) {
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
