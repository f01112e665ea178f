package httpadapter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/murph-chat/murph/consultation"
)

// Handler answers the requests of a front end. It is safe for concurrent use and holds no resources.
type Handler struct {
	cfg    Config
	routes []route
	origin *http.CrossOriginProtection

	document  []byte // what OpenAPI returns
	admission admission
	queues    writeQueues
	tally     tally
	repeats   repeats
	warned    sync.Once
}

var _ http.Handler = (*Handler)(nil)

// New makes a Handler. The error names everything that is wrong with cfg.
func New(cfg Config) (*Handler, error) {
	cfg = cfg.withDefaults()
	errs := []error{cfg.validate()}
	routes, err := newRoutes(cfg)
	errs = append(errs, err)
	origin := http.NewCrossOriginProtection()
	for _, o := range cfg.TrustedOrigins {
		errs = append(errs, origin.AddTrustedOrigin(o))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("httpadapter: %w", err)
	}
	document, err := describe(cfg, routes)
	if err != nil {
		return nil, fmt.Errorf("httpadapter: %w", err)
	}
	return &Handler{
		cfg: cfg, routes: routes, origin: origin, document: document, admission: newAdmission(cfg.MaxReads),
	}, nil
}

// Mux is the part of a router that [Handler.Register] needs. [http.ServeMux] and chi's routers have it.
type Mux interface {
	Handle(pattern string, h http.Handler)
}

// Register adds every route to mux under patterns like "POST /base/api/nachrichten". mux must be the router of the whole
// path, not one that is mounted below a prefix: there, mount the Handler itself, which reads the full path. Like mux, it
// panics if a pattern conflicts with one that is there.
func (h *Handler) Register(mux Mux) {
	for _, rt := range h.routes {
		for _, method := range methods {
			mux.Handle(method+" "+rt.pattern, h)
		}
	}
}

// call is a request on its way through an endpoint.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	route *route
	value string // of the route's wildcard
	// client is the context of the request as it came, which ends when the client goes. That of r ends before.
	client context.Context
	who    consultation.Participant
}

// ServeHTTP answers a request whose path, with the base path, is one of the handler's, and 404 to every other.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{w: w, r: r, client: r.Context()}
	h.tally.request()
	h.warned.Do(func() { h.lookAt(r) })
	if err := h.serve(c); err != nil {
		h.fail(c, err)
	}
}

func (h *Handler) serve(c *call) error {
	segments := strings.Split(c.r.URL.Path, "/")
	for i := range h.routes {
		if value, ok := h.routes[i].match(segments); ok {
			c.route, c.value = &h.routes[i], value
			break
		}
	}
	if c.route == nil {
		return errNoRoute
	}
	answer, ok := c.route.endpoint(c.r.Method)
	if ok && c.route.socket {
		return answer(h, c)
	}
	h.limitBody(c)
	if h.cfg.RequestTimeout > 0 {
		ctx, cancel := context.WithTimeout(c.r.Context(), h.cfg.RequestTimeout)
		defer cancel()
		c.r = c.r.WithContext(ctx)
	}
	switch {
	case c.r.Method == http.MethodOptions:
		c.w.Header().Set("Allow", c.route.allow())
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	case !ok:
		c.w.Header().Set("Allow", c.route.allow())
		return errMethod
	case h.isForeign(c.r):
		return errCrossOrigin
	}
	if c.route.public {
		return answer(h, c)
	}
	if err := h.authenticate(c); err != nil {
		return err
	}
	return answer(h, c)
}

// authenticate asks the host who this is. Why it does not know is the host's to log: the text may hold a secret, unless the
// host has said by ErrUnavailable that it does not.
func (h *Handler) authenticate(c *call) error {
	who, err := h.cfg.Authenticator.Authenticate(c.r)
	if errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("httpadapter: authenticate: %w", err)
	}
	if err != nil || who.UserID == "" {
		return errUnauthenticated
	}
	who = who.Clean()
	if err := who.Validate(); err != nil {
		// An InvalidError would tell the client that its input is wrong.
		return fmt.Errorf("httpadapter: the authenticator returned a bad participant: %v", err)
	}
	c.who = who
	return nil
}

// authenticateAgain asks the host a second time, after the client had its time
// for the body and after the read of the store. A user who is refused before the
// audience changes, as consultation.Service.Suspend demands, gets no grant for
// the new audience this way.
func (h *Handler) authenticateAgain(c *call) error {
	before := c.who.UserID
	if err := h.authenticate(c); err != nil {
		return err
	}
	if c.who.UserID != before {
		return errUnauthenticated
	}
	return nil
}

// serveSocket hands the connection over, with the writer as it came, because it will be hijacked.
func (h *Handler) serveSocket(c *call) error {
	c.r.SetPathValue("key", c.value)
	h.cfg.Socket.ServeHTTP(c.w, c.r)
	return nil
}

// fail answers with what the table says about err, and logs what nobody else learns of.
func (h *Handler) fail(c *call, err error) {
	f := find(c.client, err)
	h.tally.refusal(f.code)
	if log, skipped := h.repeats.log(f, err); log {
		attrs := []slog.Attr{slog.Int("status", f.status), slog.String("user_id", string(c.who.UserID)), slog.Any("err", err)}
		if c.route != nil {
			attrs = append(attrs, slog.String("method", c.r.Method), slog.String("route", c.route.pattern))
		}
		if skipped > 0 {
			attrs = append(attrs, slog.Uint64("not_logged", skipped))
		}
		h.cfg.Logger.LogAttrs(c.r.Context(), f.level, "request failed", attrs...)
	}
	writeProblem(c, f, err)
}
