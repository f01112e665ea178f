package httpadapter

import (
	"net/http"
	"time"
)

// limitBody bounds the time that the client may take over the body, also over one that this package does not read,
// because the server reads the rest of it before it sends the answer. The server itself ends the deadline with the body.
func (h *Handler) limitBody(c *call) {
	limit := h.cfg.BodyTimeout
	if limit < 0 || c.r.Body == nil || c.r.Body == http.NoBody {
		return
	}
	if host := hostOf(c.r); host != nil && host.ReadTimeout > 0 {
		limit = min(limit, host.ReadTimeout)
	}
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Now().Add(limit)) // an error means that the writer has none
}

// lookAt warns of a host that lets a client take for ever over the header of its request: nothing of this package can see
// that.
func (h *Handler) lookAt(r *http.Request) {
	if host := hostOf(r); host != nil && host.ReadTimeout <= 0 && host.ReadHeaderTimeout <= 0 {
		h.cfg.Logger.Warn("httpadapter: the http.Server has neither ReadHeaderTimeout nor ReadTimeout, " +
			"so slow requests can use up its connections")
	}
}

// hostOf returns the server that the request came to, nil if it is not known.
func hostOf(r *http.Request) *http.Server {
	host, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	return host
}
