package httpadapter

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// endpoint answers one method of one route. An error means that it has not written anything.
type endpoint func(h *Handler, c *call) error

// route is a path with all its methods.
type route struct {
	name     string // the field of Paths
	pattern  string // as [http.ServeMux] takes it, with the base path
	wildcard string // "{id}", "{key}" or ""
	methods  map[string]endpoint
	socket   bool // belongs to Config.Socket, which reads the request itself
	public   bool // for everybody, without a session

	segments []string // of the pattern
	at       int      // the segment that is the wildcard, or -1
}

// methods are those that a path is registered for. A path is not registered without a method, because such a pattern
// conflicts with a host's "GET /". Every method is, so that a wrong one is answered like every other mistake.
var methods = [...]string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// newRoutes compiles the paths of a configuration that has its defaults, the literal ones before those with a wildcard.
func newRoutes(c Config) ([]route, error) {
	p := c.Paths
	routes := []route{
		{name: "Messages", pattern: p.Messages, methods: map[string]endpoint{"POST": (*Handler).sendMessage}},
		{name: "Message", pattern: p.Message, wildcard: "{id}", methods: map[string]endpoint{
			"PATCH": (*Handler).editMessage, "DELETE": (*Handler).deleteMessage}},
		{name: "Consultations", pattern: p.Consultations, methods: map[string]endpoint{
			"GET": (*Handler).listConsultations, "POST": (*Handler).requestConsultation}},
		{name: "Consultation", pattern: p.Consultation, wildcard: "{id}", methods: map[string]endpoint{
			"GET": (*Handler).showConsultation, "PATCH": (*Handler).changeConsultation}},
		{name: "Read", pattern: p.Read, wildcard: "{id}", methods: map[string]endpoint{"POST": (*Handler).markRead}},
	}
	if c.Signer != nil {
		routes = append(routes,
			route{name: "ChannelAuth", pattern: p.ChannelAuth, methods: map[string]endpoint{"POST": (*Handler).authorizeChannel}},
			route{name: "UserAuth", pattern: p.UserAuth, methods: map[string]endpoint{"POST": (*Handler).authenticateUser}})
	}
	if c.Socket != nil {
		routes = append(routes, route{name: "Socket", pattern: p.Socket, wildcard: "{key}", socket: true,
			methods: map[string]endpoint{"GET": (*Handler).serveSocket}})
	}
	if p.OpenAPI != "" {
		routes = append(routes, route{name: "OpenAPI", pattern: p.OpenAPI, public: true,
			methods: map[string]endpoint{"GET": (*Handler).showOpenAPI}})
	}

	var errs []error
	for i := range routes {
		rt := &routes[i]
		if err := checkPath(rt.pattern, rt.wildcard); err != nil {
			errs = append(errs, fmt.Errorf("field Paths.%s %w", rt.name, err))
		}
		rt.pattern = c.BasePath + rt.pattern
		rt.segments = strings.Split(rt.pattern, "/")
		rt.at = -1
		if rt.wildcard != "" {
			rt.at = slices.Index(rt.segments, rt.wildcard)
		}
		for _, other := range routes[:i] {
			if rt.overlaps(other) {
				errs = append(errs, fmt.Errorf("fields Paths.%s and Paths.%s match the same requests", other.name, rt.name))
			}
		}
	}
	slices.SortStableFunc(routes, func(a, b route) int { return min(a.at, 0) - min(b.at, 0) })
	return routes, errors.Join(errs...)
}

// checkPath holds a path to what this package and all routers understand in the same way. An empty wildcard means that
// the path has none.
func checkPath(path, wildcard string) error {
	segments := strings.Split(path, "/")
	if segments[0] != "" || len(segments) < 2 {
		return errors.New(`must start with "/"`)
	}
	wildcards := 0
	for _, s := range segments[1:] {
		switch {
		case wildcard != "" && s == wildcard:
			wildcards++
		case s == "" || s[0] == '.' || strings.ContainsAny(s, "{}*:%?# "):
			return errors.New("must consist of plain segments and its own wildcard")
		}
	}
	if wildcard != "" && wildcards != 1 {
		return fmt.Errorf("must have the segment %s once", wildcard)
	}
	return nil
}

// allow is the value of the header Allow.
func (rt *route) allow() string {
	var list []string
	for _, m := range methods {
		if _, ok := rt.endpoint(m); ok || m == http.MethodOptions {
			list = append(list, m)
		}
	}
	return strings.Join(list, ", ")
}

// endpoint returns what answers the method. HEAD is a GET whose body the server leaves out; a WebSocket has none.
func (rt *route) endpoint(method string) (endpoint, bool) {
	if method == http.MethodHead && !rt.socket {
		method = http.MethodGet
	}
	ep, ok := rt.methods[method]
	return ep, ok
}

// match returns the value of the wildcard if the segments of a path are those of rt.
func (rt *route) match(segments []string) (value string, ok bool) {
	if len(segments) != len(rt.segments) {
		return "", false
	}
	for i, s := range segments {
		switch {
		case i == rt.at && s != "":
			value = s
		case s != rt.segments[i]:
			return "", false
		}
	}
	return value, true
}

// overlaps reports whether a path could be meant for either and neither is the more specific one.
func (rt *route) overlaps(other route) bool {
	if len(rt.segments) != len(other.segments) || (rt.at < 0) != (other.at < 0) {
		return false
	}
	for i, s := range rt.segments {
		if s != other.segments[i] && i != rt.at && i != other.at {
			return false
		}
	}
	return true
}
