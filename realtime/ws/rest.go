package ws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// apiCall is one authenticated call of the HTTP API.
type apiCall struct {
	ctx    context.Context
	name   string            // the channel or the user in the path
	params map[string]string // of the query, names in lower case
	body   []byte
}

// apiEndpoint serves one kind of call. The answer is encoded as JSON, nil as {}.
type apiEndpoint struct {
	method string
	// path is the end of the request's path. The first "*" stands for the
	// application's id, the second one for the name of a channel or user.
	path  []string
	serve func(*Server, apiCall) (any, error)
}

var apiEndpoints = []apiEndpoint{
	{http.MethodPost, []string{"apps", "*", "events"}, (*Server).apiEvents},
	{http.MethodPost, []string{"apps", "*", "batch_events"}, (*Server).apiBatch},
	{http.MethodGet, []string{"apps", "*", "channels"}, (*Server).apiChannels},
	{http.MethodGet, []string{"apps", "*", "channels", "*"}, (*Server).apiChannel},
	{http.MethodGet, []string{"apps", "*", "channels", "*", "users"}, (*Server).apiUsers},
	{http.MethodPost, []string{"apps", "*", "channels", "*", "events"}, (*Server).apiChannelEvent},
	{http.MethodPost, []string{"apps", "*", "users", "*", "terminate_connections"}, (*Server).apiTerminate},
}

// apiRefusal is an error that is told to the caller. The text contains nothing of the request.
type apiRefusal struct {
	status int
	text   string
}

func (r *apiRefusal) Error() string { return r.text }

func badRequest(format string, args ...any) error {
	return &apiRefusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// API returns the HTTP API of Pusher Channels ("HTTP API reference"), with which
// the server SDKs publish and query: POST events and batch_events, GET channels,
// channels/{name} and channels/{name}/users, POST
// users/{id}/terminate_connections, and the older POST channels/{name}/events,
// all below /apps/{AppID}. It can be mounted below any prefix, stripped or not;
// only the end of the path counts.
//
// Every call is signed with the application's secret. The signature may cover the
// path as it was sent, or from "/apps/" on, as the path option of the SDK for PHP
// signs it. A proxy that strips a prefix that the SDK has signed must name it in
// X-Forwarded-Prefix. The prefix gives no access to anything, so the header needs
// no protection.
//
// The signature is checked before the body is read. A body must arrive within
// 15 s, unless the host's http.Server has a ReadTimeout. Equal calls are served,
// as hosted Pusher does; see [Config.RefuseReplays].
//
// Answers are JSON, {} when there is nothing to say. Refusals are plain text with
// one of the statuses 400, 401, 404, 405, 408, 413, or with 503 when other nodes
// of a cluster may not have carried out the call. The API sends no CORS headers,
// because a page that could use it would have to know the secret.
//
// Status 200 means that the event is queued for its subscribers, not that they
// have received it.
func (s *Server) API() http.Handler { return http.HandlerFunc(s.serveAPI) }

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	answer, err := s.callAPI(w, r)
	var refusal *apiRefusal
	switch {
	case errors.As(err, &refusal):
		s.apiRefusals.Add(1)
		http.Error(w, refusal.text, refusal.status)
		return
	case err != nil:
		s.cfg.Logger.LogAttrs(r.Context(), slog.LevelError, "ws: an API call failed", slog.Any("err", err))
		http.Error(w, "Internal error", http.StatusInternalServerError)
		return
	}
	s.apiCalls.Add(1)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // an error means that the caller has gone
}

// callAPI returns the JSON to answer with.
func (s *Server) callAPI(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	path := sentPath(r)
	endpoint, name, err := s.route(w, r.Method, path)
	if err != nil {
		return nil, err
	}
	bodyRead := limitBodyTime(w, r)
	params, err := s.authenticate(r, path, endpoint)
	if err != nil {
		return nil, err
	}
	body, err := s.readBody(w, r, params)
	if err != nil {
		return nil, err
	}
	bodyRead()
	call := apiCall{ctx: r.Context(), name: name, params: params, body: body}
	answer, err := s.serveOnce(endpoint, call)
	if err != nil {
		return nil, err
	}
	if answer == nil {
		return []byte("{}"), nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(answer); err != nil {
		return nil, fmt.Errorf("ws: encode an answer of the API: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// route finds the endpoint for a path and what stands in it. Middleware may have changed the request's URL, so the
// path is the one that was sent.
func (s *Server) route(w http.ResponseWriter, method, path string) (apiEndpoint, string, error) {
	segments := strings.Split(path, "/")
	var allowed []string
	for _, e := range apiEndpoints {
		values, ok := matchTail(segments, e.path)
		switch {
		case !ok:
			continue
		case values[0] != s.cfg.AppID:
			return e, "", &apiRefusal{http.StatusNotFound, "Unknown application"}
		case e.method != method:
			allowed = append(allowed, e.method)
			continue
		}
		return e, values[len(values)-1], nil
	}
	if allowed != nil {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return apiEndpoint{}, "", &apiRefusal{http.StatusMethodNotAllowed, "Method not allowed"}
	}
	return apiEndpoint{}, "", &apiRefusal{http.StatusNotFound, "Not found"}
}

// matchTail compares the last segments of a path with a pattern, and returns what its stars stand for.
func matchTail(segments, pattern []string) ([]string, bool) {
	if len(segments) < len(pattern) {
		return nil, false
	}
	var values []string
	for i, segment := range segments[len(segments)-len(pattern):] {
		if pattern[i] != "*" {
			if segment != pattern[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(segment)
		if err != nil || value == "" || strings.Contains(value, "/") {
			return nil, false
		}
		values = append(values, value)
	}
	return values, true
}

// sentPath is the path of the request line, still escaped, with whatever prefix the API is mounted under.
func sentPath(r *http.Request) string {
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		return u.EscapedPath()
	}
	return r.URL.EscapedPath() // not from a client, but from a caller inside the process
}

// authenticate checks the signature of a call, without its body. It returns the
// parameters of the query.
func (s *Server) authenticate(r *http.Request, path string, endpoint apiEndpoint) (map[string]string, error) {
	// A semicolon is legal in a channel name, the official SDK for Go does not escape it, and net/url refuses it.
	query, err := url.ParseQuery(strings.ReplaceAll(r.URL.RawQuery, ";", "%3B"))
	if err != nil {
		return nil, badRequest("The query is malformed")
	}
	params, err := s.cfg.credentials().VerifyQuery(r.Method, signedPaths(r, path, endpoint), query, time.Now())
	if err != nil {
		return nil, notAuthenticated(err)
	}
	return params, nil
}

// signedPaths returns the paths that the signature of a call may cover. All of
// them end like path, and only the end selects what is served.
func signedPaths(r *http.Request, path string, endpoint apiEndpoint) []string {
	segments := strings.Split(path, "/")
	paths := []string{path, "/" + strings.Join(segments[len(segments)-len(endpoint.path):], "/")}
	if prefix := strings.TrimSuffix(r.Header.Get("X-Forwarded-Prefix"), "/"); prefix != "" {
		paths = append(paths, prefix+path)
	}
	for _, p := range paths {
		// SDKs sign the path before their HTTP library escapes it. A line break in it could pass for the query's beginning.
		if decoded, err := url.PathUnescape(p); err == nil && decoded != p && !strings.Contains(decoded, "\n") {
			paths = append(paths, decoded)
		}
	}
	return paths
}

func notAuthenticated(err error) error {
	reason := strings.TrimPrefix(err.Error(), pusherproto.ErrBadRequestSignature.Error()+": ")
	return &apiRefusal{http.StatusUnauthorized, "Not authenticated: " + reason}
}

// serveOnce serves a call, unless it repeats one that was served or is being
// served and Config.RefuseReplays is set. A call that fails may be repeated.
func (s *Server) serveOnce(endpoint apiEndpoint, call apiCall) (answer any, err error) {
	if endpoint.method != http.MethodPost || !s.cfg.RefuseReplays {
		return endpoint.serve(s, call)
	}
	signature, timestamp := call.params["auth_signature"], call.params["auth_timestamp"]
	if !s.served.first(signature, timestamp, time.Now()) {
		s.limits.refused("RefuseReplays")
		return nil, &apiRefusal{http.StatusUnauthorized, "Not authenticated: auth_signature was used before"}
	}
	served := false
	defer func() {
		if !served {
			s.served.forget(signature, timestamp)
		}
	}()
	answer, err = endpoint.serve(s, call)
	served = err == nil
	return answer, err
}

// apiInfo are the attributes that a caller asks for, in a list with commas.
func apiInfo(list string, known ...string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	attrs := strings.Split(list, ",")
	for i, a := range attrs {
		attrs[i] = strings.TrimSpace(a)
		if !slices.Contains(known, attrs[i]) {
			return nil, badRequest("info: the attributes are %s", strings.Join(known, ", "))
		}
	}
	return attrs, nil
}
