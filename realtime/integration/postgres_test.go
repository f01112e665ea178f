package integration_test

import (
	"context"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/pgbus"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// pgProbe makes a silent connection known soon enough for a test.
const pgProbe = time.Second

func TestPostgres(t *testing.T) {
	t.Parallel()
	realtimetest.RunBus(t, realtimetest.BusHarness{Open: func(tb testing.TB) realtimetest.BusEngine {
		var server *pgtest.Server
		var dsn string
		if strings.HasSuffix(tb.Name(), "/Restart") { // all other cases share a server
			server = pgtest.Start(tb)
			dsn = server.Database(tb)
		} else {
			dsn = pgtest.Database(tb)
		}
		engine := openPostgres(tb, dsn)
		if server != nil {
			engine.Restart = server.Restart
		}
		return engine
	}})
}

// TestPostgresKills is TestPostgres with connections that PostgreSQL itself ends.
func TestPostgresKills(t *testing.T) {
	t.Parallel()
	realtimetest.RunBus(t, realtimetest.BusHarness{Open: func(tb testing.TB) realtimetest.BusEngine {
		dsn := pgtest.Database(tb)
		engine := openPostgres(tb, dsn)
		engine.Cut, engine.Stall, engine.Heal = nil, nil, nil
		engine.Kick = func(tb testing.TB) {
			query(tb, dsn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = current_database() AND application_name = 'murph pgbus'`)
		}
		return engine
	}})
}

// query runs a statement on a connection of its own.
func query(tb testing.TB, dsn, statement string, args ...any) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement, args...); err != nil {
		tb.Fatal(err)
	}
}

// openPostgres puts a proxy between the database and the nodes.
func openPostgres(tb testing.TB, dsn string) realtimetest.BusEngine {
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	proxy := listenProxy(tb, u.Host)
	proxied := *u
	proxied.Host = proxy.Addr()
	return realtimetest.BusEngine{
		Node: func(tb testing.TB) realtime.Bus {
			return newPostgres(tb, proxied.String(), &pgbus.Options{
				Probe: pgProbe, MinWait: 10 * time.Millisecond, MaxWait: 200 * time.Millisecond, MaxPending: 1 << 20,
			})
		},
		Kick:   func(testing.TB) { proxy.Kick() },
		Cut:    func(testing.TB) { proxy.Cut() },
		Stall:  func(testing.TB) { proxy.Stall() },
		Heal:   func(testing.TB) { proxy.Heal() },
		Notice: 4 * pgProbe,
		Inject: func(tb testing.TB, name string, payload []byte) {
			text := strings.ToValidUTF8(strings.ReplaceAll(string(payload), "\x00", "?"), "?")
			query(tb, dsn, `SELECT pg_notify($1, $2)`, "murph_"+name, text)
		},
	}
}

func newPostgres(tb testing.TB, dsn string, opts *pgbus.Options) *pgbus.Bus {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	bus, err := pgbus.New(config, opts)
	if err != nil {
		tb.Fatal(err)
	}
	return bus
}

func TestPostgresPrefixesAreApart(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	one := watchBus(t, newPostgres(t, dsn, &pgbus.Options{Prefix: "one"}))
	two := watchBus(t, newPostgres(t, dsn, &pgbus.Options{Prefix: "TWO-2"}))
	require.NoError(t, one.bus.Publish(t.Context(), 0, []byte("for one")))
	require.NoError(t, two.bus.Publish(t.Context(), 0, []byte("for two")))
	require.Equal(t, "for one", one.next(t))
	require.Equal(t, "for two", two.next(t))
}

func TestPostgresWithoutARunningBus(t *testing.T) {
	t.Parallel()
	bus := newPostgres(t, pgtest.Database(t), nil)
	require.ErrorIs(t, bus.Publish(t.Context(), 0, []byte("too early")), pgbus.ErrNotConnected)
}

// Two connections that lead to different servers are like a pooler that swallows LISTEN: nothing fails, and nothing comes
// back.
func TestPostgresFindsOutThatNothingComesBack(t *testing.T) {
	t.Parallel()
	servers := []string{pgtest.Start(t).DSN("postgres"), pgtest.Start(t).DSN("postgres")}
	config, err := pgx.ParseConfig(servers[0])
	require.NoError(t, err)
	var dials atomic.Int64
	config.DialFunc = func(ctx context.Context, network, _ string) (net.Conn, error) {
		u, err := url.Parse(servers[dials.Add(1)%2])
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, u.Host)
	}
	bus, err := pgbus.New(config, &pgbus.Options{Timeout: 2 * time.Second})
	require.NoError(t, err)
	downs := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	w := &watched{ups: make(chan struct{}, 1), downs: downs}
	go func() { ended <- bus.Run(ctx, busName, w) }()
	select {
	case err := <-downs:
		require.ErrorContains(t, err, "does not come back")
	case <-time.After(patience):
		t.Error("Down was not called")
	}
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.Empty(t, w.ups)
}
