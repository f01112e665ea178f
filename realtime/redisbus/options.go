package redisbus

import (
	"errors"
	"time"
)

// Options of a [Bus]. The zero value is good for most: apps with different
// secrets do not hear each other.
type Options struct {
	// Prefix begins the channel, which is "<prefix>:<name>" with the name that
	// Run is given. All nodes of an app have the same. Defaults to "murph".
	Prefix string
	// Timeout is how long a round trip to publish may take, retries of the client included; the client's ReadTimeout may
	// make it longer. Defaults to 2 s.
	Timeout time.Duration
	// Probe is how long the connection that receives may be silent before Redis is asked whether it is there. Without
	// answer it is given up when four times Probe have passed. Defaults to 2 s.
	Probe time.Duration
	// MinWait and MaxWait bound the wait before the next try to connect: it doubles from try to try, and half of it is
	// random. They default to 100 ms and 5 s.
	MinWait, MaxWait time.Duration
}

func (o *Options) withDefaults() Options {
	var all Options
	if o != nil {
		all = *o
	}
	if all.Prefix == "" {
		all.Prefix = "murph"
	}
	for at, standard := range map[*time.Duration]time.Duration{
		&all.Timeout: 2 * time.Second,
		&all.Probe:   2 * time.Second,
		&all.MinWait: 100 * time.Millisecond,
		&all.MaxWait: 5 * time.Second,
	} {
		if *at == 0 {
			*at = standard
		}
	}
	return all
}

func (o *Options) validate() error {
	var errs []error
	if o.Timeout < 0 || o.Probe < 0 || o.MinWait < 0 {
		errs = append(errs, errors.New("redisbus: a duration of the options is negative"))
	}
	if o.MaxWait < o.MinWait {
		errs = append(errs, errors.New("redisbus: Options.MaxWait is less than MinWait"))
	}
	return errors.Join(errs...)
}
