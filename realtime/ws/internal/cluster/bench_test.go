package cluster_test

import (
	"testing"

	"github.com/murph-chat/murph/realtime/ws/internal/cluster"
)

// benchRecord is about as large as the record of a chat message.
var benchRecord = cluster.AppendRecord(nil, cluster.KindEvent, cluster.Event{Channel: ch, Message: make([]byte, 600)}.Append())

func BenchmarkSeal(b *testing.B) {
	seal := cluster.Sealer(secret, app)
	b.ReportAllocs()
	for b.Loop() {
		seal(3, other, 1, benchRecord)
	}
}

// BenchmarkOpen includes the copy that outlives the call of the bus.
func BenchmarkOpen(b *testing.B) {
	n, _ := newNode()
	frame := cluster.Forge(secret, app, 3, other, 1, benchRecord)
	received := make([]byte, 0, len(frame))
	b.ReportAllocs()
	for b.Loop() {
		n.Open(3, append(received, frame...))
	}
}

// BenchmarkGarbage receives what no node has made.
func BenchmarkGarbage(b *testing.B) {
	n, _ := newNode()
	frame := cluster.Forge("x", app, 3, other, 1, benchRecord)
	received := make([]byte, 0, len(frame))
	b.ReportAllocs()
	for b.Loop() {
		n.Open(3, append(received, frame...))
	}
}
