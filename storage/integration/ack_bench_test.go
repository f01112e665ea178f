package integration_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// BenchmarkAck removes outbox entries in batches of the size that the relay uses, and reports the cost of one.
func BenchmarkAck(b *testing.B) {
	const batch = 256
	for _, d := range drivers {
		b.Run(d.name, func(b *testing.B) {
			s := d.openStore(b, pgtest.Schema(b), 1)
			begin(b, s, room)
			var ns float64
			for b.Loop() {
				b.StopTimer()
				ids := make([]int64, 0, batch)
				for range batch {
					p := message(room, patient, "")
					p.Enqueue = &realtime.Enqueue{}
					done, err := s.Append(b.Context(), p)
					require.NoError(b, err)
					ids = append(ids, done.Entry)
				}
				begun := b.Elapsed()
				b.StartTimer()
				require.NoError(b, s.Ack(b.Context(), ids...))
				ns += float64((b.Elapsed() - begun).Nanoseconds())
			}
			b.ReportMetric(ns/float64(b.N)/batch, "ns/row")
		})
	}
}
