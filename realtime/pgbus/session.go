package pgbus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var (
	errDeaf = errors.New("what is notified does not come back: " +
		"a pooler may stand between, or the connections lead to different servers")
	// errSilent is what Down reports of a connection that is open, and dead.
	errSilent = errors.New("what the node has notified to itself does not come back any more")
)

// farewell is how long saying goodbye to PostgreSQL may take.
const farewell = 250 * time.Millisecond

// statement notifies all payloads in one commit, in order. The commit need not wait for the disk: there is nothing to
// keep.
const statement = `
SELECT pg_notify($1, payload), set_config('synchronous_commit', 'off', true) FROM unnest($2::text[]) AS payload`

// session is a pair of connections.
type session struct {
	*Bus
	channel            string
	listener, notifier *pgconn.PgConn
	in                 inbox
	crowd              crowd // the other nodes

	probe     string // the payload that this session notifies to itself; no base64, so that others take it for nothing
	confirmed chan struct{}
	confirm   func()       // closes confirmed, once
	heard     atomic.Int64 // when the last probe came back, in nanoseconds since began
	began     time.Time
}

// connect opens both connections and listens.
func (b *Bus) connect(ctx context.Context, channel string) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, b.opts.Timeout)
	defer cancel()
	s := &session{Bus: b, channel: channel, probe: "?" + rand.Text(), confirmed: make(chan struct{}), began: time.Now()}
	s.in.wake, s.in.limit = make(chan struct{}, 1), b.opts.MaxPending
	s.confirm = sync.OnceFunc(func() { close(s.confirmed) })
	config := b.config.Copy()
	var err error
	if s.notifier, err = pgconn.ConnectConfig(ctx, &config.Config); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	config.OnNotification = s.notification
	if s.listener, err = pgconn.ConnectConfig(ctx, &config.Config); err != nil {
		s.close()
		return nil, fmt.Errorf("connect: %w", err)
	}
	if _, err := s.listener.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()).ReadAll(); err != nil {
		s.close()
		return nil, fmt.Errorf("listen: %w", err)
	}
	return s, nil
}

// close ends the connections. Nobody uses them any more.
func (s *session) close() {
	ctx, cancel := context.WithTimeout(context.Background(), farewell) // whoever Run belongs to has gone
	defer cancel()
	for _, conn := range []*pgconn.PgConn{s.listener, s.notifier} {
		if conn != nil {
			_ = conn.Close(ctx) // it is given up either way
		}
	}
}

// listen reads what comes, until the connection is lost.
func (s *session) listen(ctx context.Context) error {
	for {
		if err := s.listener.WaitForNotification(ctx); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
}

// notification takes one notification, within listen. What comes before the first probe is not for this node: Up comes
// after it.
func (s *session) notification(_ *pgconn.PgConn, n *pgconn.Notification) {
	switch {
	case n.Channel != s.channel:
	case n.Payload == s.probe:
		s.heard.Store(int64(time.Since(s.began)))
		s.in.start()
		s.confirm()
	case !strings.HasPrefix(n.Payload, "?"):
		if n.PID != s.notifier.PID() {
			s.crowd.note(n.PID, time.Now())
		}
		s.in.put(n.Payload)
	}
}

// silent tells whether the probes have stopped coming back.
func (s *session) silent() bool {
	return time.Since(s.began)-time.Duration(s.heard.Load()) > 3*s.opts.Probe
}

// notify sends what is published, and probes, until the connection is lost.
func (s *session) notify(ctx context.Context) error {
	probe := time.NewTicker(s.opts.Probe)
	defer probe.Stop()
	pause := time.NewTimer(s.opts.Interval)
	defer pause.Stop()
	payloads := []string{s.probe}
	for {
		if err := s.send(ctx, payloads); err != nil {
			return fmt.Errorf("notify: %w", err)
		}
		pause.Reset(s.opts.Interval * time.Duration(1+s.crowd.size(time.Now())))
		select {
		case <-pause.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		payloads = payloads[:0]
		select {
		case <-s.out.wake:
		case <-probe.C:
			payloads = append(payloads, s.probe)
		case <-ctx.Done():
			return ctx.Err()
		}
		for _, packed := range s.out.take() {
			payloads = append(payloads, encode(packed))
		}
	}
}

// send notifies the payloads in one round trip. They hold nothing that has a meaning in an array's text.
func (s *session) send(ctx context.Context, payloads []string) error {
	if len(payloads) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	array := "{" + strings.Join(payloads, ",") + "}"
	return s.notifier.ExecParams(ctx, statement, [][]byte{[]byte(s.channel), []byte(array)}, nil, nil, nil).Read().Err
}
