package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/pgbus"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

const (
	benchSenders = 16
	benchSends   = 1600 // in one turn
)

// BenchmarkSendBesideBus sends with sixteen people at once, in turns without a bus and with the events going to the other
// nodes over LISTEN and NOTIFY on the same server. What that costs is the metric cost-%. All nodes are in this process, so
// what they do to receive is part of it.
func BenchmarkSendBesideBus(b *testing.B) {
	for _, nodes := range []int{1, 3} {
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			dsn := pgtest.Database(b)
			db, err := sql.Open("pgx", dsn)
			must(b, err)
			b.Cleanup(func() { _ = db.Close() })
			db.SetMaxIdleConns(benchSenders)
			store, err := bunstore.NewPostgres(db, nil)
			must(b, err)
			must(b, store.Migrate(b.Context()))
			secret := rand.Text()
			alone, err := ws.New(ws.Config{AppID: "1", Key: "k", Secret: secret})
			must(b, err)
			var together *ws.Server
			for range nodes {
				together = benchNode(b, dsn, secret)
			}
			awaitNodes(b, together, nodes-1)
			plain, err := chat.NewService(store, alone, &chat.Options{WriteRate: chat.Rate{PerSecond: -1}})
			must(b, err)
			bussed, err := chat.NewService(store, together, &chat.Options{WriteRate: chat.Rate{PerSecond: -1}})
			must(b, err)
			rooms := benchRooms(b, store, alone)

			sendAll(b, plain, rooms) // warm
			sendAll(b, bussed, rooms)
			var without, with time.Duration
			n := 0
			for b.Loop() {
				without += sendAll(b, plain, rooms)
				with += sendAll(b, bussed, rooms)
				n += benchSends
			}
			b.ReportMetric(float64(n)/without.Seconds(), "alone-sends/s")
			b.ReportMetric(float64(n)/with.Seconds(), "bus-sends/s")
			b.ReportMetric(100*(1-without.Seconds()/with.Seconds()), "cost-%")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// benchNode runs a server on the bus until the benchmark ends.
func benchNode(b *testing.B, dsn, secret string) *ws.Server {
	cfg, err := pgx.ParseConfig(dsn)
	must(b, err)
	bus, err := pgbus.New(cfg, nil)
	must(b, err)
	server, err := ws.New(ws.Config{AppID: "1", Key: "k", Secret: secret, Bus: bus, Resync: chat.ResyncEvent, Authorize: everybody})
	must(b, err)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { must(b, server.Run(ctx)) })
	b.Cleanup(func() {
		stop()
		running.Wait()
	})
	return server
}

// everybody may listen.
func everybody(_ context.Context, batch []realtime.Listener) ([]bool, error) {
	return slices.Repeat([]bool{true}, len(batch)), nil
}

// awaitNodes waits until the server knows the others.
func awaitNodes(b *testing.B, s *ws.Server, others int) {
	for st := s.Stats(); !st.BusUp || st.Nodes < others; st = s.Stats() {
		pause(b.Context(), 10*time.Millisecond)
	}
}

// benchRooms makes a consultation for each sender.
func benchRooms(b *testing.B, store *bunstore.Store, to realtime.Broadcaster) []consultation.ID {
	service, err := consultation.NewService(store, to, nil)
	must(b, err)
	student := consultation.Participant{UserID: "student", Role: consultation.RoleStudent, FirstName: "S"}
	rooms := make([]consultation.ID, benchSenders)
	for i := range rooms {
		rooms[i] = consultation.ID(fmt.Sprintf("room-%d", i))
		patient := consultation.Participant{UserID: "patient", Role: consultation.RolePatient, FirstName: "P"}
		_, err := service.Request(b.Context(), consultation.RequestParams{ID: rooms[i], Topic: "t", Patient: patient, By: consultation.Host()})
		must(b, err)
		_, err = service.Accept(b.Context(), consultation.TransitionParams{ID: rooms[i], By: consultation.Host(), Student: &student})
		must(b, err)
	}
	return rooms
}

// sendAll sends benchSends messages and returns how long that took.
func sendAll(b *testing.B, s *chat.Service, rooms []consultation.ID) time.Duration {
	start := time.Now()
	var senders sync.WaitGroup
	for _, room := range rooms {
		senders.Go(func() {
			for range benchSends / benchSenders {
				_, err := s.Send(b.Context(), chat.SendParams{ConsultationID: room, SenderID: "patient", Content: "Guten Tag, wie geht es Ihnen heute?"})
				must(b, err)
			}
		})
	}
	senders.Wait()
	return time.Since(start)
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Error(err)
	}
}
