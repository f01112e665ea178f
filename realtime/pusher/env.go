package pusher

import (
	"errors"
	"fmt"
	"strings"
)

// environment reads variables and collects what is wrong with them.
type environment struct {
	lookup  func(string) (string, bool)
	missing []string
	wrong   []error
}

// optional returns the first variable that is set, or "".
func (e *environment) optional(names ...string) string {
	for _, name := range names {
		v, set := e.lookup(name)
		if v = strings.TrimSpace(v); set && v != "" {
			return v
		}
	}
	return ""
}

// required is optional, and notes that the first of the names is missing if none
// is set.
func (e *environment) required(names ...string) string {
	v := e.optional(names...)
	if v == "" {
		e.missing = append(e.missing, names[0])
	}
	return v
}

// host returns the host and the port, or "" if no host is set.
func (e *environment) host() string {
	host, own := "", ""
	if v := e.optional("PUSHER_HOST"); v != "" {
		var err error
		if host, own, err = parseHost(v); err != nil {
			e.wrong = append(e.wrong, fmt.Errorf("pusher: PUSHER_HOST %w", err))
		}
	}
	port := e.optional("PUSHER_PORT")
	switch {
	case port == "":
		port = own
	case !isPort(port):
		e.wrong = append(e.wrong, fmt.Errorf("pusher: PUSHER_PORT %w", errPort))
	case own != "":
		e.wrong = append(e.wrong, errors.New("pusher: PUSHER_HOST has a port in it, so PUSHER_PORT must not be set"))
	}
	if host == "" {
		return ""
	}
	return joinHost(host, port)
}

func (e *environment) insecure() bool {
	switch scheme := e.optional("PUSHER_SCHEME"); {
	case strings.EqualFold(scheme, "http"):
		return true
	case scheme != "" && !strings.EqualFold(scheme, "https"):
		e.wrong = append(e.wrong, errors.New(`pusher: PUSHER_SCHEME must be "https" or "http"`))
	}
	return false
}

// err returns one error for everything that is missing or wrong.
func (e *environment) err() error {
	errs := e.wrong
	if e.missing != nil {
		errs = append([]error{&MissingEnvError{Names: e.missing}}, errs...)
	}
	return errors.Join(errs...)
}
