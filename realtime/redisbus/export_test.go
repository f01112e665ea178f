package redisbus

import "time"

// Wait returns how long Run waits after so many tries that have failed.
func (o *Options) Wait(failed int) time.Duration { return o.wait(failed) }
