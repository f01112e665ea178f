package httpadapter

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// DefaultMaxReconnecting is the limit of requests at once of clients that reconnect, unless [Config] says otherwise.
const DefaultMaxReconnecting = 200

// admissionWait is how long such a request waits for its turn.
const admissionWait = 2 * time.Second

// errCrowded refuses a request that has not got a turn.
var errCrowded = errors.New("httpadapter: too many requests at once")

// admission bounds how many of the requests that clients make when they reconnect are answered at the same time. After a
// restart all of them come within seconds, and would leave no connection of the database to those who send.
type admission struct{ turns chan struct{} }

func newAdmission(limit int) admission {
	if limit < 0 {
		return admission{}
	}
	return admission{make(chan struct{}, limit)}
}

// enter waits for a turn, which lasts until leave is called.
func (a admission) enter(ctx context.Context) (leave func(), err error) {
	if a.turns == nil {
		return func() {}, nil
	}
	leave = func() { <-a.turns }
	select {
	case a.turns <- struct{}{}:
		return leave, nil
	default:
	}
	timeout := time.NewTimer(admissionWait)
	defer timeout.Stop()
	select {
	case a.turns <- struct{}{}:
		return leave, nil
	case <-timeout.C:
		return nil, errCrowded
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// isReconnecting reports whether a request is one of those that a client makes when it reconnects.
func (rt *route) isReconnecting(method string) bool {
	switch rt.name {
	case "ChannelAuth", "UserAuth":
		return true
	case "Consultation", "Consultations":
		return method == http.MethodGet || method == http.MethodHead
	}
	return false
}

// retryAfter spreads those who come back over some seconds.
func retryAfter() string { return strconv.Itoa(1 + rand.IntN(5)) }
