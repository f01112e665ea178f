package integration_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// BenchmarkPostgresCommits inserts rows, each in a transaction of its own, with eight clients: in turns alone, and with
// each row published too, to nodes on the same server. What NOTIFY costs the commits is the metric cost-%; the turns
// see to it that both have the same machine. All nodes are in this process, so that their receiving is part of the
// cost.
func BenchmarkPostgresCommits(b *testing.B) {
	for _, nodes := range []int{1, 3} {
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			dsn := pgtest.Database(b)
			config, err := pgxpool.ParseConfig(dsn)
			if err != nil {
				b.Fatal(err)
			}
			config.MaxConns = benchClients
			pool, err := pgxpool.NewWithConfig(b.Context(), config)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(pool.Close)
			if _, err := pool.Exec(b.Context(), `CREATE TABLE message (id bigserial PRIMARY KEY, content text NOT NULL)`); err != nil {
				b.Fatal(err)
			}
			var buses []realtime.Bus
			for range nodes {
				bus := newPostgres(b, dsn, nil)
				m := &meter{watched: watched{ups: make(chan struct{}, 100)}, more: make(chan struct{}, 1)}
				runBus(b, bus, m)
				<-m.ups
				buses = append(buses, bus)
			}
			insertRows(b, pool, nil) // warm
			var alone, published time.Duration
			rows := 0
			for b.Loop() {
				alone += insertRows(b, pool, nil)
				published += insertRows(b, pool, buses)
				rows += benchRows
			}
			b.ReportMetric(float64(rows)/alone.Seconds(), "alone-commits/s")
			b.ReportMetric(float64(rows)/published.Seconds(), "published-commits/s")
			b.ReportMetric(100*(1-alone.Seconds()/published.Seconds()), "cost-%")
			b.ReportMetric(0, "ns/op")
		})
	}
}

const (
	benchClients = 8
	benchRows    = 2000
)

// insertRows inserts benchRows rows and returns how long that took. Each row is published on one of the buses, if there
// are any.
func insertRows(b *testing.B, pool *pgxpool.Pool, buses []realtime.Bus) time.Duration {
	content := fmt.Sprintf("%0200d", 0)
	began := time.Now()
	var wg sync.WaitGroup
	for client := range benchClients {
		wg.Go(func() {
			for range benchRows / benchClients {
				if _, err := pool.Exec(b.Context(), `INSERT INTO message (content) VALUES ($1)`, content); err != nil {
					b.Error(err)
					return
				}
				if len(buses) == 0 {
					continue
				}
				if err := buses[client%len(buses)].Publish(b.Context(), 0, stamped()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(began)
}
