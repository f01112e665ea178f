package ws

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// bodyTimeout bounds the time in which the body of a call must arrive.
const bodyTimeout = 15 * time.Second

// limitBodyTime gives the rest of the request bodyTimeout to arrive. It leaves
// the deadline to a host that has its own, and to a ResponseWriter that cannot
// set one. The caller calls bodyRead once the body has been read: the deadline
// would end the call otherwise.
func limitBodyTime(w http.ResponseWriter, r *http.Request) (bodyRead func()) {
	host, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if ok && host.ReadTimeout > 0 {
		return func() {}
	}
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Now().Add(bodyTimeout)) != nil {
		return func() {}
	}
	return func() { _ = control.SetReadDeadline(time.Time{}) }
}

// readBody reads the body of a call whose query was verified, and compares it
// with the digest there.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, params map[string]string) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.cfg.MaxRequestBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		s.limits.refused("MaxRequestBytes")
		return nil, &apiRefusal{http.StatusRequestEntityTooLarge,
			fmt.Sprintf("The body is larger than %d bytes", tooLarge.Limit)}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &apiRefusal{http.StatusRequestTimeout, "The body did not arrive in time"}
	case err != nil:
		return nil, badRequest("The body could not be read")
	}
	if err := pusherproto.VerifyBody(params, body); err != nil {
		return nil, notAuthenticated(err)
	}
	return body, nil
}
