package pusher

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// The errors of parseHost. They do not repeat what they refuse, which may have a
// password in it.
var (
	errHost = errors.New(`must be "host" or "host:port", without a scheme, a path or a user`)
	errPort = errors.New("must be a port, 1 to 65535")
)

// parseHost takes a host, with or without a port, apart. An IPv6 address is
// returned in brackets, as it stands in an address with a port.
func parseHost(s string) (host, port string, err error) {
	if isIPv6(s) {
		return "[" + s + "]", "", nil
	}
	host = s
	var hasPort bool
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 || !isIPv6(s[1:end]) {
			return "", "", errHost
		}
		var between string
		host = s[:end+1]
		if between, port, hasPort = strings.Cut(s[end+1:], ":"); between != "" {
			return "", "", errHost
		}
	} else if host, port, hasPort = strings.Cut(s, ":"); !isHostName(host) {
		return "", "", errHost
	}
	if hasPort && !isPort(port) {
		return "", "", errHost
	}
	return host, port, nil
}

// joinHost makes "host" or "host:port" of what parseHost returns.
func joinHost(host, port string) string {
	if port == "" {
		return host
	}
	return host + ":" + port
}

// isIPv6 reports whether s is an IPv6 address without a zone.
func isIPv6(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Is6() && addr.Zone() == ""
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// isHostName reports whether s is a name in ASCII, or an IPv4 address, which
// looks like one.
func isHostName(s string) bool {
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || !isWord(label) {
			return false
		}
	}
	return true
}

// isWord reports whether s can stand in an address and in its query as it is.
func isWord(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	}) < 0
}
