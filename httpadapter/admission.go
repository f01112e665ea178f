package httpadapter

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"
)

// DefaultMaxReads is the limit of reads of the store at the same time unless [Config] or the store says otherwise.
const DefaultMaxReads = 200

// readWait is how long a read waits for its turn.
const readWait = 2 * time.Second

// errCrowded refuses a request whose read has not got a turn.
var errCrowded = errors.New("httpadapter: too many requests at once")

// admission bounds how many reads of the store are under way. After a restart all clients come back within seconds, and
// each asks who it may listen to and what it has missed.
type admission struct{ turns chan struct{} }

func newAdmission(limit int) admission {
	if limit < 0 {
		return admission{}
	}
	return admission{make(chan struct{}, limit)}
}

// inTurn calls read when it is its turn. Nothing in there may wait for the client: one that is slow would hold a turn for
// as long as it likes.
func inTurn[R any](ctx context.Context, a admission, read func() (R, error)) (result R, err error) {
	if a.turns == nil {
		return read()
	}
	if err := a.enter(ctx); err != nil {
		return result, err
	}
	defer func() { <-a.turns }()
	return read()
}

func (a admission) enter(ctx context.Context) error {
	select {
	case a.turns <- struct{}{}:
		return nil
	default:
	}
	timeout := time.NewTimer(readWait)
	defer timeout.Stop()
	select {
	case a.turns <- struct{}{}:
		return nil
	case <-timeout.C:
		return errCrowded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retryAfter spreads those who come back over some seconds.
func retryAfter() string { return strconv.Itoa(1 + rand.IntN(5)) }
