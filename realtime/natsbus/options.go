package natsbus

import (
	"errors"
	"regexp"
	"time"
)

// Options of a [Bus]. The zero value is good for most: apps with different
// secrets do not hear each other.
type Options struct {
	// Prefix begins the subject, which is "<prefix>.<name>" with the name that
	// Run is given: tokens of letters, digits, "-" and "_", with dots between
	// them. All nodes of an app have the same. Defaults to "murph".
	Prefix string
	// Probe is how often the server is asked whether it is there. An answer that takes more than twice as long comes too
	// late. Defaults to 2 s.
	Probe time.Duration
}

var prefixes = regexp.MustCompile(`\A[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\z`)

func (o *Options) withDefaults() Options {
	var all Options
	if o != nil {
		all = *o
	}
	if all.Prefix == "" {
		all.Prefix = "murph"
	}
	if all.Probe == 0 {
		all.Probe = 2 * time.Second
	}
	return all
}

func (o *Options) validate() error {
	var errs []error
	if !prefixes.MatchString(o.Prefix) {
		errs = append(errs, errors.New("natsbus: Options.Prefix is not the beginning of a subject"))
	}
	if o.Probe < 0 {
		errs = append(errs, errors.New("natsbus: Options.Probe is negative"))
	}
	return errors.Join(errs...)
}
