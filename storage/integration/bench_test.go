package integration_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/storage/integration/pgtest"
	"github.com/murph-chat/murph/storage/storagetest"
)

// BenchmarkStore measures time and allocations, with nothing between the driver and the server.
func BenchmarkStore(b *testing.B) {
	for _, d := range drivers {
		b.Run(d.name, func(b *testing.B) { storagetest.Benchmark(b, d.harness()) })
	}
}

// BenchmarkSend counts the round trips of a send on the wire, which itself takes time.
func BenchmarkSend(b *testing.B) {
	for _, d := range drivers {
		b.Run(d.name, func(b *testing.B) {
			w := newWire(b, pgtest.Schema(b))
			s := d.openStore(b, w.dsn, 1)
			begin(b, s, room)
			send(b, s, room, patient)
			before := w.trips.Load()
			b.ReportAllocs()
			for b.Loop() {
				_, err := s.Append(b.Context(), message(room, patient, ""))
				require.NoError(b, err)
			}
			b.ReportMetric(float64(w.trips.Load()-before)/float64(b.N), "trips/op")
		})
	}
}
