package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// errPoolBusy says that no connection became free in time.
var errPoolBusy = errors.New("every connection was in use")

// waitEnd is the key of the time in a call's context at which it stops waiting.
type waitEnd struct{}

// patience lets all attempts of a call together wait for Options.BusyTimeout.
func (sqlite) patience(ctx context.Context, s *Store) (context.Context, func(attempt int) bool) {
	limit := s.opts.BusyTimeout
	if limit < 0 {
		return ctx, func(int) bool { return false }
	}
	end := time.Now().Add(limit)
	return context.WithValue(ctx, waitEnd{}, end), func(int) bool { return !time.Now().Before(end) }
}

// take returns a connection of pool, for which it waits no longer than the call
// may.
func (s *Store) take(ctx context.Context, pool *sql.DB) (*sql.Conn, error) {
	limit := s.opts.BusyTimeout
	if limit < 0 {
		return pool.Conn(ctx)
	}
	end, ok := ctx.Value(waitEnd{}).(time.Time)
	if !ok {
		end = time.Now().Add(limit)
	}
	waiting, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	c, err := pool.Conn(waiting)
	if err != nil && waiting.Err() != nil && ended(ctx) == nil {
		return nil, fmt.Errorf("%w for %v", errPoolBusy, limit)
	}
	return c, err
}
