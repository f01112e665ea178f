package bunstore

import (
	"context"
	"database/sql/driver"
	"strconv"
	"time"
)

// A statement that is a transaction of its own can still succeed after its caller has given up: the server goes on waiting
// for a lock when the client is gone, and then stores what the caller believes was not stored. So each such statement sets
// lock_timeout, before it comes to the lock and until its own end, to a little less than the caller has time. A timeout
// that the host has configured stays.
//
// That covers deadlines. When a context is cancelled, it is up to the driver to tell the server: pgx does, pgdriver does
// not.

// codeLockNotAvailable is the SQLSTATE of a lock_timeout.
const codeLockNotAvailable = "55P03"

// maxPatience keeps within the range of the setting.
const maxPatience = 24 * time.Hour

// patience is lock_timeout in milliseconds as a parameter. The driver asks for its value when it has a connection and has
// prepared the statement, which may take longer than the statement itself.
type patience struct{ deadline time.Time }

// patienceOf makes the parameter. It is NULL where there is no deadline, and in a transaction of the host's, which a
// statement that goes on alone cannot commit.
func patienceOf(ctx context.Context, s *Store) any {
	deadline, ok := ctx.Deadline()
	if !ok || s.bound {
		return nil
	}
	return patience{deadline}
}

// Value implements [driver.Valuer].
func (p patience) Value() (driver.Value, error) {
	left := min(time.Until(p.deadline), maxPatience)
	left -= min(left/4, margin)
	return strconv.FormatInt(max(1, left.Milliseconds()), 10), nil
}

// margin is how much earlier than the caller the server gives up at most: enough for the way there.
const margin = 50 * time.Millisecond

// giveUp waits for the deadline of ctx if err says that the server has given up because of it, so that the reason that the
// caller gets is true.
func giveUp(ctx context.Context, err error) {
	deadline, ok := ctx.Deadline()
	if ok && sqlState(err) == codeLockNotAvailable && time.Until(deadline) < 2*margin {
		<-ctx.Done()
	}
}
