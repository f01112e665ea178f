package integration_test

import (
	"context"
	"encoding/base64"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/integration/redistest"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// canary stands for the text of a message, and canaryChannel for the name of a
// consultation. Neither may be readable on an engine.
const (
	canary        = "canary-in-the-message"
	canaryChannel = realtime.Channel("private-canary-consultation")
)

// startServer runs a server on bus until t ends.
func startServer(t *testing.T, bus realtime.Bus) *ws.Server {
	t.Helper()
	s, err := ws.New(ws.Config{
		AppID: "1", Key: "key", Secret: "a secret for the tests", Bus: bus, Logger: slog.New(slog.DiscardHandler),
		Resync: func(realtime.Channel) (realtime.Event, bool) { return realtime.Event{}, false },
		Authorize: func(_ context.Context, batch []realtime.Listener) ([]bool, error) {
			return make([]bool, len(batch)), nil
		},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return s
}

// publishCanary publishes the canary from one of two servers until a frame that is
// large enough to carry it has reached the outsider. It returns what the
// outsider has received.
func publishCanary(t *testing.T, one, two *ws.Server, received <-chan string) (all []string) {
	t.Helper()
	data := []byte(`"` + strings.Repeat(canary, 20) + `"`)
	timeout := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for large := false; !large || two.Stats().BusFramesIn == 0; {
		select {
		case <-tick.C:
			_ = one.Broadcast(t.Context(), realtime.Event{Channel: canaryChannel, Name: "new-message", Data: data})
		case payload := <-received:
			all = append(all, payload)
			large = large || len(payload) > len(data)
		case <-timeout:
			require.FailNow(t, "the outsider has received no frame with a message")
		}
	}
	return all
}

// requireSecret fails when one of the payloads shows the canary, as it is or in
// base64.
func requireSecret(t *testing.T, payloads []string) {
	t.Helper()
	for _, payload := range payloads {
		decoded, _ := base64.RawStdEncoding.DecodeString(payload)
		for _, text := range []string{payload, string(decoded)} {
			require.False(t, strings.Contains(text, canary), "the message can be read")
			require.False(t, strings.Contains(text, string(canaryChannel)), "the channel can be read")
		}
	}
}

func TestRedisOutsiderReadsNothing(t *testing.T) {
	t.Parallel()
	addr := redistest.Start(t).Addr()
	received := make(chan string, 100_000)
	all := redisClient(t, addr).PSubscribe(t.Context(), "*")
	t.Cleanup(func() { _ = all.Close() })
	_, err := all.Receive(t.Context())
	require.NoError(t, err)
	go func() {
		for m := range all.Channel() {
			received <- m.Payload
		}
	}()
	one := startServer(t, newRedis(t, redisClient(t, addr), "murph"))
	two := startServer(t, newRedis(t, redisClient(t, addr), "murph"))
	requireSecret(t, publishCanary(t, one, two, received))
}

func TestNATSOutsiderReadsNothing(t *testing.T) {
	t.Parallel()
	s, _ := openNATS(t)
	addr := s.server.Addr().String()
	received := make(chan string, 100_000)
	conn := natsConn(t, addr)
	_, err := conn.Subscribe(">", func(m *nats.Msg) { received <- string(m.Data) })
	require.NoError(t, err)
	require.NoError(t, conn.FlushTimeout(patience))
	one := startServer(t, newNATS(t, natsConn(t, addr), "murph"))
	two := startServer(t, newNATS(t, natsConn(t, addr), "murph"))
	requireSecret(t, publishCanary(t, one, two, received))
}

// TestPostgresOutsiderReadsNothing gives the outsider even the name of the
// channel, which an administrator can see in pg_stat_activity.
func TestPostgresOutsiderReadsNothing(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	one, two := startServer(t, newPostgres(t, dsn, nil)), startServer(t, newPostgres(t, dsn, nil))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	outsider, err := pgx.Connect(ctx, dsn)
	require.NoError(t, err)
	listen := ""
	require.Eventually(t, func() bool {
		return outsider.QueryRow(ctx, `SELECT query FROM pg_stat_activity
			WHERE datname = current_database() AND query LIKE 'LISTEN "murph%'`).Scan(&listen) == nil
	}, patience, 20*time.Millisecond)
	_, err = outsider.Exec(ctx, listen)
	require.NoError(t, err)
	received := make(chan string, 100_000)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			n, err := outsider.WaitForNotification(ctx)
			if err != nil {
				return
			}
			received <- n.Payload
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = outsider.Close(context.Background())
	})
	requireSecret(t, publishCanary(t, one, two, received))
}

// TestRedisOutsiderSilencesNoNode writes every frame that an outsider hears to
// the engine again: as it is, and with the highest number where a frame might
// have its number.
func TestRedisOutsiderSilencesNoNode(t *testing.T) {
	t.Parallel()
	addr := redistest.Start(t).Addr()
	outsider := redisClient(t, addr)
	all := outsider.PSubscribe(t.Context(), "*")
	t.Cleanup(func() { _ = all.Close() })
	_, err := all.Receive(t.Context())
	require.NoError(t, err)
	one := startServer(t, newRedis(t, redisClient(t, addr), "murph"))
	two := startServer(t, newRedis(t, redisClient(t, addr), "murph"))
	known := map[string]bool{}
	recorded := 0
	inject := func(channel string, payload []byte) {
		known[string(payload)] = true
		require.NoError(t, outsider.Publish(t.Context(), channel, payload).Err())
	}
	for m := range all.Channel() {
		if known[m.Payload] {
			continue
		}
		inject(m.Channel, []byte(m.Payload))
		for at := range min(40, len(m.Payload)-8) {
			forged := []byte(m.Payload)
			copy(forged[at:], "\xff\xff\xff\xff\xff\xff\xff\xff")
			inject(m.Channel, forged)
		}
		if recorded++; recorded >= 20 && one.Stats().Nodes == 1 && two.Stats().Nodes == 1 {
			break
		}
	}
	before := two.Stats()
	require.Eventually(t, func() bool {
		_ = one.Broadcast(t.Context(), realtime.Event{Channel: canaryChannel, Name: "new-message", Data: []byte(`1`)})
		return two.Stats().BusFramesIn > before.BusFramesIn+20
	}, patience, 20*time.Millisecond, "what one says does not reach two")
	require.Zero(t, two.Stats().BusGaps)
	require.Positive(t, two.Stats().BusFramesRefused)
}
