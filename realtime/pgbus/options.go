package pgbus

import (
	"errors"
	"regexp"
	"time"
)

// Options of a [Bus]. The zero value is good for most: apps with different
// secrets do not hear each other.
type Options struct {
	// Prefix begins the channel, which is "<prefix>_<name>" with the name that
	// Run is given: at most 30 letters, digits, "-" and "_". All nodes of an
	// app have the same. Defaults to "murph".
	Prefix string
	// Interval is the least time between two statements that notify. It counts for all nodes that publish much at the
	// same time together: with two others each waits three times as long, with nine or more ten times. Defaults to 10 ms.
	Interval time.Duration
	// Probe is how often the node notifies itself. It is down when nothing has come back for three times as long.
	// Defaults to 2 s.
	Probe time.Duration
	// Timeout is how long connecting may take, and each statement. Defaults to 3 s.
	Timeout time.Duration
	// MaxPending is how many bytes of payloads wait for the handler. More are dropped, and told with Down. Defaults to
	// 16 MiB.
	MaxPending int
	// MinWait and MaxWait bound the wait before the next try to connect: it doubles from try to try, and half of it is
	// random. They default to 100 ms and 5 s.
	MinWait, MaxWait time.Duration
}

var prefixes = regexp.MustCompile(`\A[A-Za-z0-9_-]{1,30}\z`)

func (o *Options) withDefaults() Options {
	var all Options
	if o != nil {
		all = *o
	}
	if all.Prefix == "" {
		all.Prefix = "murph"
	}
	if all.MaxPending == 0 {
		all.MaxPending = 16 << 20
	}
	for at, standard := range map[*time.Duration]time.Duration{
		&all.Interval: 10 * time.Millisecond,
		&all.Probe:    2 * time.Second,
		&all.Timeout:  3 * time.Second,
		&all.MinWait:  100 * time.Millisecond,
		&all.MaxWait:  5 * time.Second,
	} {
		if *at == 0 {
			*at = standard
		}
	}
	return all
}

func (o *Options) validate() error {
	var errs []error
	if !prefixes.MatchString(o.Prefix) {
		errs = append(errs, errors.New("pgbus: Options.Prefix is not at most 30 letters, digits, - and _"))
	}
	if o.Interval < 0 || o.Probe < 0 || o.Timeout < 0 || o.MinWait < 0 {
		errs = append(errs, errors.New("pgbus: a duration of the options is negative"))
	}
	if o.MaxWait < o.MinWait {
		errs = append(errs, errors.New("pgbus: Options.MaxWait is less than MinWait"))
	}
	if o.MaxPending < maxPayload {
		errs = append(errs, errors.New("pgbus: Options.MaxPending has no room for a payload of 7,900 bytes"))
	}
	return errors.Join(errs...)
}
